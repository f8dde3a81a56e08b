import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { selfMade } from "../../helpers/tls/certificates.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";
import { startTlsServer } from "../../helpers/tls/tls-server.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, type SinkProcess, type SourceProcess } from "../copying.ts";
import { startGuarded } from "./guarded.ts";

function withToken(token: string) {
  return { env: { FANFOLD_TOKEN: token } };
}

/** A port that takes what comes without TLS. */
async function plainServer(port = 0) {
  let received = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
  }).listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, received: () => received };
}

/** Each test says itself who has a token. */
describe("members of a coordinator that serves TLS", { timeout: E2E_MS }, () => {
  test("join by a token, which nobody sees, and come back without one", async () => {
    await using lab = await CliLab.open("open");
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    const coordinator = await startGuarded(lab);
    const tokens = { source: await coordinator.token("source"), sink: await coordinator.token("sink") };
    const pipe = lab.path("token");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    const sink = lab.sink(coordinator.address, to, ["--token-file", pipe]);
    writeFileSync(pipe, `${tokens.sink}\n`);
    await sink.event("joined");
    const source = lab.source(coordinator.address, from, [], withToken(tokens.source));
    await source.event("joined");
    const programs: readonly (SourceProcess | SinkProcess)[] = [source, sink];
    const lines = programs.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, "latin1"));
    await expectProven(source, [sink]);
    await expectCopy(from, to);
    const printed = [...programs, coordinator.process].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const token of Object.values(tokens))
      for (const text of [...lines, ...printed]) expect(text).not.toContain(token.slice(-30));

    const remembered = [
      join(to, ".fanfold/coordinators.json"),
      lab.path("home/state/fanfold/source/coordinators.json"),
    ];
    const certificate = readFileSync(join(coordinator.stateDir, "tls-certificate.pem"), "utf8");
    for (const file of remembered) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { coordinators } = JSON.parse(readFileSync(file, "utf8"));
      expect(coordinators).toEqual([{ address: coordinator.address, pin: tokens.sink.split("_")[2], certificate }]);
    }
    const [again, sinkAgain] = [lab.source(coordinator.address, from), lab.sink(coordinator.address, to)];
    expect(await expectProven(again, [sinkAgain])).toMatchObject({ result: "unchanged" });
  });

  test("say nothing to whoever stands in between with another certificate", async () => {
    await using lab = await CliLab.open("open");
    makeManyFiles(lab.path("source"), 1);
    const coordinator = await startGuarded(lab);
    const between = await startTlsServer(selfMade({ hosts: ["127.0.0.1"] }));
    const address = `127.0.0.1:${between.port}`;
    const sink = lab.sink(address, lab.path("sink"), [], withToken(await coordinator.token("sink")));
    const source = lab.source(address, lab.path("source"), [], withToken(await coordinator.token("source")));
    for (const program of [sink, source]) {
      expect(await program.exit()).toBe(27);
      expect(await program.failure()).toMatchObject({
        code: "pin-mismatch",
        message: expect.stringMatching(
          /: it has the key [a-z2-7]{12}…, expected [a-z2-7]{12}…; somebody may stand in between/,
        ),
      });
    }
    expect(between.connections).toBe(2);
    expect(between.received).toBe("");
  });

  test("say nothing without TLS, with a token or with what they remember", async () => {
    await using lab = await CliLab.open("open");
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 1);
    const coordinator = await startGuarded(lab);
    const token = await coordinator.token("sink");
    const stranger = await plainServer();
    const refused = lab.sink(`127.0.0.1:${stranger.port}`, to, [], withToken(token));
    expect(await refused.exit()).toBe(28);
    expect(await refused.failure()).toMatchObject({ code: "tls-failed" });
    const open = lab.sink(`http://192.0.2.1:${stranger.port}`, to, [], withToken(token));
    expect(await open.exit()).toBe(2);
    expect((await open.failure()).message).toMatch(/the token would be seen on the way; leave out http:/);

    const joined = lab.sink(coordinator.address, to, [], withToken(token));
    await joined.event("joined");
    joined.signal("SIGTERM");
    await joined.exit();
    coordinator.process.signal("SIGTERM");
    await coordinator.process.exit();
    const successor = await plainServer(coordinator.port);
    const remembering = lab.sink(coordinator.address, to);
    expect(await remembering.exit()).toBe(28);
    for (const { received } of [stranger, successor]) {
      expect(received()[0]).toBe(0x16);
      expect(received().toString("latin1")).not.toMatch(/fanfold|ff1_|HTTP/);
    }
  });

  test("go on with a coordinator that renewed its certificate, and not with one that was set up anew", async () => {
    await using lab = await CliLab.open("open");
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 5);
    const { address, port, stateDir, token, process } = await startGuarded(lab);
    const sink = lab.sink(address, to, ["--stay"], withToken(await token("sink")));
    await sink.event("joined");
    const sourceToken = await token("source");
    process.signal("SIGTERM");
    await process.exit();
    const file = join(stateDir, "tls-certificate.pem");
    const old = readFileSync(file, "utf8");
    rmSync(file);
    const renewed = await startGuarded(lab, { port, stateDir });
    await sink.event("control", { where: ({ status }) => status === "back" });
    const source = lab.source(address, from, [], withToken(sourceToken));
    expect(await source.exit(), source.shown()).toBe(0);
    await expectCopy(from, to);
    expect(readFileSync(file, "utf8")).not.toBe(old);
    expect(readFileSync(join(to, ".fanfold/coordinators.json"), "utf8")).toContain(
      JSON.stringify(readFileSync(file, "utf8")),
    );
    sink.signal("SIGTERM");
    await sink.exit();
    renewed.process.signal("SIGTERM");
    await renewed.process.exit();

    await startGuarded(lab, { port, stateDir: lab.path("another") });
    const deceived = lab.sink(address, to);
    expect(await deceived.exit()).toBe(27);
    expect((await deceived.failure()).message).toContain("or the coordinator was set up anew: then get a new token");
  });

  test("check the host name where an authority vouches for the coordinator", async () => {
    await using lab = await CliLab.open("open");
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 5);
    const authority = await testAuthority(tempFolder());
    const { certificateFile, keyFile } = await authority.issue("backup", ["DNS:localhost"]);
    const { port, token } = await startGuarded(lab, { args: ["--tls-cert", certificateFile, "--tls-key", keyFile] });
    const [sourceToken, sinkToken] = [await token("source"), await token("sink")];
    expect(sinkToken).toMatch(/^ff1_sink__/);
    const known = { NODE_EXTRA_CA_CERTS: authority.certificateFile };
    const unknown = lab.sink(`localhost:${port}`, to, [], withToken(sinkToken));
    expect(await unknown.exit()).toBe(28);
    expect((await unknown.failure()).message).toContain(
      "no authority that this machine knows vouches for its certificate",
    );
    const misnamed = lab.sink(`127.0.0.1:${port}`, to, [], { env: { ...known, FANFOLD_TOKEN: sinkToken } });
    expect(await misnamed.exit()).toBe(28);
    expect((await misnamed.failure()).message).toContain("its certificate is for other names (DNS:localhost)");

    const sink = lab.sink(`localhost:${port}`, to, [], { env: { ...known, FANFOLD_TOKEN: sinkToken } });
    await sink.event("joined");
    const source = lab.source(`https://localhost:${port}`, from, [], { env: { ...known, FANFOLD_TOKEN: sourceToken } });
    await expectProven(source, [sink]);
    await expectCopy(from, to);
    expect(readFileSync(join(to, ".fanfold/coordinators.json"), "utf8")).toContain('"certificate": "authorities"');
    const again = lab.sink(`localhost:${port}`, to, [], { env: known });
    await again.event("joined");
  });

  test("show a certificate to a coordinator that wants one", async () => {
    await using lab = await CliLab.open("open");
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 5);
    const authority = await testAuthority(tempFolder());
    const client = await authority.issue("alpha", ["DNS:alpha"]);
    const started = await startGuarded(lab, { args: ["--tls-client-ca", authority.certificateFile], client });
    const [sourceToken, sinkToken] = [await started.token("source"), await started.token("sink")];
    const without = lab.sink(started.address, to, [], withToken(sinkToken));
    expect(await without.exit()).toBe(29);
    expect((await without.failure()).message).toMatch(/; give one with --tls-cert and --tls-key$/);
    const shown = ["--tls-cert", client.certificateFile, "--tls-key", client.keyFile];
    const operator = lab.start(["members", "list", "--state-dir", started.stateDir], { plain: true });
    expect(await operator.exit()).toBe(29);
    expect(operator.stderr).toMatch(/; give one with --tls-cert and --tls-key\n$/);
    const known = lab.start(["members", "list", "--state-dir", started.stateDir, ...shown], { plain: true });
    expect(await known.exit(), known.stderr).toBe(0);
    const sink = lab.sink(started.address, to, shown, withToken(sinkToken));
    await sink.event("joined");
    const source = lab.source(started.address, from, shown, withToken(sourceToken));
    await expectProven(source, [sink]);
    await expectCopy(from, to);
  });

  test("are told that they need a token", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await startGuarded(lab);
    const plain = lab.sink(address, lab.path("sink"));
    expect(await plain.exit()).toBe(28);
    expect((await plain.failure()).message).toMatch(
      /: it speaks TLS only; set FANFOLD_TOKEN or --token-file to a token of it/,
    );
    const beyond = lab.sink("192.0.2.1:7337", lab.path("sink"));
    expect(await beyond.exit()).toBe(18);
    const damaged = lab.sink(address, lab.path("elsewhere"), [], withToken("ff1_sink_abc"));
    expect(await damaged.exit()).toBe(19);
    expect(readdirSync(lab.folder)).not.toContain("elsewhere");
  });
});
