import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, expect, test } from "vitest";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { permissionsTestable } from "../../helpers/processes/programs.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectProven } from "../copying.ts";

describe.concurrent("folders that cannot be used", { timeout: E2E_MS }, () => {
  test.skipIf(!permissionsTestable())(
    "a source says what is wrong with its directory before it asks for anything else",
    async () => {
      await using lab = await CliLab.open();
      writeFileSync(lab.path("file"), "");
      mkdirSync(lab.path("closed"));
      chmodSync(lab.path("closed"), 0);
      const cases = [
        ["missing", "folder-missing", "no such directory"],
        ["file", "folder-not-a-directory", "it is not a directory"],
        ["file/below", "folder-not-a-directory", "it is not a directory"],
        ["closed", "folder-denied", "permission denied"],
      ] as const;
      for (const [name, code, text] of cases) {
        const source = lab.source("localhost:1", lab.path(name), [], { unprivileged: true });
        expect(await source.exit(), name).toBe(8);
        expect(await source.failure()).toMatchObject({ code });
        expect(source.stderr).toBe(`fanfold: cannot read the directory "${lab.path(name)}": ${text}\n`);
        expect(source.events).toHaveLength(1);
      }
    },
  );

  test.skipIf(!permissionsTestable())(
    "a sink says what is wrong with its folder before it asks for anything else",
    async () => {
      await using lab = await CliLab.open();
      writeFileSync(lab.path("file"), "");
      mkdirSync(lab.path("closed"));
      chmodSync(lab.path("closed"), 0o555);
      const cases = [
        ["file", "folder-not-a-directory", "it is not a directory"],
        ["file/below", "folder-not-a-directory", "it is not a directory"],
        ["closed", "folder-denied", "permission denied"],
        ["closed/below", "folder-denied", "permission denied"],
      ] as const;
      for (const [name, code, text] of cases) {
        const sink = lab.sink("localhost:1", lab.path(name), [], { unprivileged: true });
        expect(await sink.exit(), name).toBe(8);
        expect(await sink.failure()).toMatchObject({ code });
        expect(sink.stderr).toBe(`fanfold: cannot open the sink's folder "${lab.path(name)}": ${text}\n`);
      }
      expect(readFileSync(lab.path("file"), "utf8")).toBe("");
    },
  );

  test("a folder that another sink works in is refused, and free again once that one was killed", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const first = lab.sink(address, lab.path("sink"));
    await first.event("waiting");
    const second = lab.sink(address, lab.path("sink"));
    expect(await second.exit()).toBe(5);
    expect(await second.failure()).toMatchObject({ code: "folder-busy" });
    expect(second.stderr).toContain('another sink or "fanfold verify" is using it');
    first.signal("SIGKILL");
    await first.exit();
    const third = lab.sink(address, lab.path("sink"));
    await third.event("waiting");
  });
});

describe.concurrent("addresses where no coordinator answers", { timeout: E2E_MS }, () => {
  test("somebody else at the port is named as such, by source and sink", async () => {
    await using lab = await CliLab.open();
    mkdirSync(lab.path("source"));
    const others: Readonly<Record<string, Server>> = {
      "a server that greets first": createServer((socket) => {
        socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.2p1\r\n");
      }),
      "a broker": createServer((socket) => {
        socket.on("error", () => undefined).write('INFO {"server_id":"X","version":"2.9.10"} \r\n');
      }),
      "a web server that finds nothing": createHttpServer((_request, response) => response.writeHead(404).end()),
      "a web server that finds anything": createHttpServer((_request, response) => response.end("<h1>It works!</h1>")),
    };
    for (const [who, server] of Object.entries(others)) {
      await using other = await listening(server);
      for (const process of [
        lab.source(other.address, lab.path("source")),
        lab.sink(other.address, lab.path("sink")),
      ] as const) {
        expect(await process.exit(), who).toBe(6);
        expect(await process.failure(), who).toMatchObject({ code: "not-a-coordinator" });
        expect(process.stderr).toContain(
          `cannot connect to the coordinator at ${other.address}: something else answers there`,
        );
      }
    }
  });

  test("nobody at the port is waited for as long as --connect-timeout says, also one who only listens", async () => {
    await using lab = await CliLab.open();
    mkdirSync(lab.path("source"));
    const free = await freePort();
    await using silent = await listening(createServer((socket) => void socket.on("error", () => undefined)));
    for (const address of [`localhost:${free}`, silent.address]) {
      for (const process of [
        lab.source(address, lab.path("source"), ["--connect-timeout", "500ms"]),
        lab.sink(address, lab.path("sink"), ["--connect-timeout", "500ms"]),
      ] as const) {
        expect(await process.exit()).toBe(6);
        expect(await process.failure()).toMatchObject({ code: "coordinator-unreachable" });
        expect(process.stderr).toContain('is "fanfold coordinator" running there?');
      }
    }
  });

  test("a host name that does not exist is said to be one", async () => {
    await using lab = await CliLab.open();
    const sink = lab.sink("http://no-such-host.invalid:7337", lab.path("sink"), ["--connect-timeout", "5s"]);
    expect(await sink.exit()).toBe(6);
    expect(sink.stderr).toMatch(/no such host|does not resolve/);
  });
});

describe.concurrent("what a coordinator refuses", { timeout: E2E_MS }, () => {
  test("a host's name is made unique, and one that was asked for and is taken is refused", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 5);
    const { address } = await lab.coordinator();
    const names: string[] = [];
    for (const folder of ["one", "two", "three"]) {
      const sink = lab.sink(address, lab.path(folder));
      names.push((await sink.event("joined")).name);
    }
    const [name = ""] = names;
    expect(names).toEqual([name, `${name}-two`, `${name}-three`]);

    const alpha = lab.sink(address, lab.path("alpha"), ["--session", "other", "--name", "alpha"]);
    await alpha.event("waiting");
    const taken = lab.sink(address, lab.path("taken"), ["--session", "other", "--name", "alpha"]);
    expect(await taken.exit()).toBe(5);
    expect(await taken.failure()).toMatchObject({ code: "name-taken" });
    expect(taken.stderr).toContain('"alpha": another member has this name; choose another with --name');
    // Names are taken within one session only, and the same sink may come back under its own.
    const elsewhere = lab.sink(address, lab.path("elsewhere"), ["--name", "alpha"]);
    await elsewhere.event("waiting");
    alpha.signal("SIGKILL");
    await alpha.exit();
    const back = lab.sink(address, lab.path("alpha"), ["--session", "other", "--name", "alpha"]);
    expect((await back.event("joined")).name).toBe("alpha");
  });

  test("a source that waits for sinks in vain ends when --wait-timeout is over", async () => {
    await using lab = await CliLab.open();
    mkdirSync(lab.path("source"));
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), ["--name", "alpha"]);
    await sink.event("waiting");
    const options = ["--dest-count", "2", "--wait-timeout", "3s"];
    const source = lab.source(address, lab.path("source"), options);
    expect(await source.exit()).toBe(10);
    expect(await source.failure()).toMatchObject({ code: "wait-timeout" });
    expect(source.stderr).toContain("too few sinks: 1 of 2 registered after 3 s (alpha)");
    // The sink goes on waiting, and gets the next one.
    await expectProven(lab.source(address, lab.path("source")), [sink]);
  });

  test("a second coordinator gets neither the port nor the state of the first one", async () => {
    await using lab = await CliLab.open();
    const state = ["--state-dir", lab.path("state")];
    const { address } = await lab.coordinator({ args: state });
    const port = address.split(":")[1] ?? "";
    const samePort = lab.start(["coordinator", "--port", port, "--state-dir", lab.path("other state")]);
    expect(await samePort.exit()).toBe(6);
    expect(await samePort.failure()).toMatchObject({ code: "port-taken" });
    expect(samePort.stderr).toContain(port);
    const sameState = lab.start(["coordinator", "--port", "0", ...state]);
    expect(await sameState.exit()).toBe(5);
    expect(await sameState.failure()).toMatchObject({ code: "state-busy" });
  });

  test("options that cannot be used end with status 2 and one line that says why", async () => {
    await using lab = await CliLab.open();
    const wrong: readonly (readonly string[])[] = [
      [],
      ["copy"],
      ["source"],
      ["source", "a", "b"],
      ["sink", "x", "--session", "bad name"],
      ["sink", "x", "--name", "\u001b[31mred"],
      ["sink", "x", "--coordinator", "host:99999"],
      ["source", "x", "--dest-count", "0"],
      ["source", "x", "--wait-timeout", "soon"],
      ["coordinator", "--port", "70000"],
      ["coordinator", "--broker", "http://localhost"],
    ];
    for (const args of wrong) {
      const process = lab.start(args, { plain: true });
      expect(await process.exit(), args.join(" ")).toBe(2);
      expect(process.stdout).toBe("");
      if (args.length > 0) expect(process.stderr).toMatch(/^fanfold: [^\n\u001b]+\n$/);
    }
  });
});

async function listening(server: Server): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
