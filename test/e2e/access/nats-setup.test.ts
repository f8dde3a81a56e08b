import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { answers, ServerProcess } from "../../helpers/brokers/broker-process.ts";
import { findProgram } from "../../helpers/brokers/broker-programs.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";
import { makeOddTree } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";

/** A seed, or the beginning of a JWT for NATS. */
const SECRETS = new RegExp(
  `\\bS[A-Z2-7]{57}\\b|${Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString("base64url")}`,
);
const PROGRAM = brokersAvailable("nats") ? findProgram("nats-server") : undefined;

describe.skipIf(PROGRAM === undefined)("fanfold nats-setup", { timeout: E2E_MS }, () => {
  test("its server and its seeds carry a copy, in which nobody shows a secret", async () => {
    await using lab = await CliLab.open();
    const port = await setUp(lab);
    await serve(lab, port);
    const from = lab.path("source");
    await makeOddTree(from);
    const args = ["--nats-seeds", lab.path("nats", "coordinator.seeds")];
    const { address, process } = await lab.coordinator({ broker: `nats://127.0.0.1:${port}`, args });
    const to = [lab.path("one"), lab.path("two")];
    const { source, sinks } = startCopy(lab, { address, from, to });
    await expectProven(source, sinks);
    for (const folder of to) await expectCopy(from, folder);
    // It heard what the sinks said, by the rights of its own.
    await process.event("session", { where: ({ view }) => view.sinks.some(({ progress }) => progress.filesDone > 0) });
    expect(process.events.filter(({ type }) => type === "warning")).toEqual([]);
    const secrets = [process, source, ...sinks].flatMap(({ stdout, stderr }) => SECRETS.exec(stdout + stderr) ?? []);
    expect(secrets).toEqual([]);
  });

  test("with --tls-name it serves TLS, and members verify it by the certificate that the coordinator tells them", async () => {
    await using lab = await CliLab.open();
    const port = await setUp(lab, ["--tls-name", "nats.example", "--tls-name", "localhost"]);
    await serve(lab, port);
    const from = lab.path("source");
    await makeOddTree(from);
    const args = ["--nats-seeds", lab.path("nats", "coordinator.seeds"), "--broker-ca", lab.path("nats", "server.pem")];
    const { address } = await lab.coordinator({ broker: `tls://localhost:${port}`, args });
    await copyAndCompare(lab, { address, from, to: [lab.path("one"), lab.path("two")] });
    const plain = await lab.coordinator({ broker: `nats://localhost:${port}`, args: args.slice(0, 2) });
    const { reason } = await plain.process.event("broker", { where: ({ status }) => status === "unreachable" });
    expect(reason).toContain("certificate");
  });

  test("with TLS members verify the server by the authority that the coordinator tells them", async () => {
    await using lab = await CliLab.open();
    const port = await setUp(lab);
    const authority = await testAuthority(lab.folder);
    const { certificateFile, keyFile } = await authority.issue("server", ["DNS:localhost"]);
    const config = lab.path("nats", "nats.conf");
    const [prepared] = /^# tls .*$/m.exec(readFileSync(config, "utf8")) ?? [""];
    const tls = prepared
      .replace("# ", "")
      .replace(/cert_file: "[^"]*"/, `cert_file: "${certificateFile}"`)
      .replace(/key_file: "[^"]*"/, `key_file: "${keyFile}"`);
    writeFileSync(config, readFileSync(config, "utf8").replace(prepared, tls));
    await serve(lab, port);
    const from = lab.path("source");
    await makeOddTree(from);
    const args = [
      ...["--nats-seeds", lab.path("nats", "coordinator.seeds")],
      ...["--broker-ca", authority.certificateFile],
    ];
    const { address } = await lab.coordinator({ broker: `tls://localhost:${port}`, args });
    await copyAndCompare(lab, { address, from, to: [lab.path("one"), lab.path("two")] });
  });

  test("it overwrites nothing", async () => {
    await using lab = await CliLab.open();
    await setUp(lab);
    const before = readFileSync(lab.path("nats", "coordinator.seeds"));
    const again = lab.start(["nats-setup", lab.path("nats")], { plain: true });
    expect(await again.exit()).toBe(2);
    expect(again.stderr).toMatch(/^fanfold: cannot set up NATS in ".*": something is in it already.*\n$/);
    expect(readFileSync(lab.path("nats", "coordinator.seeds"))).toEqual(before);
  });

  test.each([
    ["--broker", "nats://localhost", "chmod 600", 0o644],
    ["--broker", "amqp://localhost", "it is for a NATS server", 0o600],
    ["--broker", "embedded", "embedded", 0o600],
  ])("a coordinator refuses the seeds with %s %s: %s", async (option, broker, text, mode) => {
    await using lab = await CliLab.open();
    await setUp(lab);
    const seeds = lab.path("copied.seeds");
    writeFileSync(seeds, readFileSync(lab.path("nats", "coordinator.seeds")), { mode });
    const refused = lab.start(["coordinator", "--port", "0", option, broker, "--nats-seeds", seeds], { plain: true });
    expect(await refused.exit()).toBe(2);
    expect(refused.stderr).toContain(text);
  });
});

/** Runs the command; gives the port of the server. */
async function setUp(lab: CliLab, args: readonly string[] = []): Promise<number> {
  const port = await freePort();
  const setup = lab.start(["nats-setup", lab.path("nats"), "--port", String(port), ...args], { plain: true });
  expect(await setup.exit()).toBe(0);
  const lines = setup.stdout.trimEnd().split("\n");
  expect(lines[0]).toBe(`Wrote the set-up of a NATS server into ${lab.path("nats")}`);
  expect(lines).toContain(`  start the server     (cd ${lab.path("nats")} && nats-server -c nats.conf)`);
  return port;
}

/** As the command says. */
async function serve(lab: CliLab, port: number): Promise<void> {
  const server = new ServerProcess({
    program: PROGRAM ?? "",
    args: ["-c", "nats.conf"],
    cwd: lab.path("nats"),
    logFile: lab.path("nats.log"),
    probe: () => answers(port),
  });
  onTestFinished(() => server.end());
  await server.start();
}
