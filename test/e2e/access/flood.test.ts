import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { MemoryWatch } from "../../helpers/processes/memory-watch.ts";
import { type TestCertificate, testAuthority } from "../../helpers/tls/test-authority.ts";
import { makeLongFile } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven } from "../copying.ts";
import { startGuarded } from "./guarded.ts";

const FLOOD = 3000;
/** As many as the port lets wait from one address stay open. */
const CUT = FLOOD - 256;
const GROWTH_BYTES_MAX = 96 * 1024 * 1024;
/** The beginning of a ClientHello whose rest never comes, and of a request. */
const HALVES = [Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]), Buffer.from("GET /livez HTTP/1.1\r\n"), Buffer.alloc(0)];

/** Opens that many connections that go no further; resolves once the port has cut so many of them. */
async function flood(port: number): Promise<void> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  let cut = 0;
  const enough = Promise.withResolvers<void>();
  for (let number = 0; number < FLOOD; number += 1) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.resume();
    socket.once("close", () => {
      cut += 1;
      if (cut === CUT) enough.resolve();
    });
    socket.write(HALVES[number % HALVES.length] ?? "");
    if (number % 100 === 0) await once(socket, "connect").catch(() => undefined);
  }
  await enough.promise;
}

test.each([
  ["with TLS", true],
  ["without TLS", false],
])(
  "a flood of connections that go no further neither stops a copy nor keeps a member out, %s",
  {
    timeout: E2E_MS,
  },
  async (_, isGuarded) => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    mkdirSync(from);
    makeLongFile(join(from, "long"), 48);
    const guarded = isGuarded ? await startGuarded(lab) : undefined;
    const { process: coordinator, address } = guarded ?? (await lab.coordinator());
    const port = Number(/:(\d+)$/.exec(address)?.[1]);
    const tokenOf = async (role: "source" | "sink") =>
      guarded === undefined ? {} : { env: { FANFOLD_TOKEN: await guarded.token(role) } };

    const early = lab.sink(address, lab.path("early"), [], await tokenOf("sink"));
    await early.event("waiting");
    const source = lab.source(address, from, ["--dest-count", "2", "--bwlimit", "16M"], await tokenOf("source"));
    await source.event("joined");
    using memory = new MemoryWatch(new Map([["coordinator", coordinator.pid]]));
    const before = memoryOf(coordinator.pid);
    await flood(port);
    const late = lab.sink(address, lab.path("late"), [], await tokenOf("sink"));
    await source.event("started");
    await flood(port);
    await expectProven(source, [early, late]);
    for (const folder of ["early", "late"]) await expectCopy(from, lab.path(folder));
    expect((memory.peakBytes.get("coordinator") ?? 0) - before).toBeLessThan(GROWTH_BYTES_MAX);
  },
);

test("SIGHUP reads the certificate again while a copy runs, and does not end the coordinator", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open();
  const from = lab.path("source");
  mkdirSync(from);
  makeLongFile(join(from, "long"), 16);
  const authority = await testAuthority(lab.folder);
  const [tlsCert, tlsKey] = [lab.path("certificate.pem"), lab.path("key.pem")];
  const put = ({ certificate, key }: TestCertificate) => {
    writeFileSync(tlsCert, certificate);
    writeFileSync(tlsKey, key, { mode: 0o600 });
  };
  put(await authority.issue("one", ["DNS:localhost"]));
  const guarded = await startGuarded(lab, { args: ["--tls-cert", tlsCert, "--tls-key", tlsKey] });
  const trusting = { NODE_EXTRA_CA_CERTS: authority.certificateFile };
  const env = async (role: "source" | "sink") => ({ env: { ...trusting, FANFOLD_TOKEN: await guarded.token(role) } });
  const address = `localhost:${guarded.port}`;
  const sink = lab.sink(address, lab.path("sink"), [], await env("sink"));
  const source = lab.source(address, from, ["--bwlimit", "8M"], await env("source"));
  await source.event("started");
  put(await authority.issue("other", ["DNS:localhost"]));
  guarded.process.signal("SIGHUP");
  await guarded.process.event("reloaded");
  writeFileSync(tlsKey, "nothing");
  guarded.process.signal("SIGHUP");
  const warning = await guarded.process.event("warning", { where: ({ code }) => code === "usage" });
  expect(warning.message).toMatch(/--tls-key.*what was read before is used on/);
  await expectProven(source, [sink]);
  await expectCopy(from, lab.path("sink"));
});

function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
