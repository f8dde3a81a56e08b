import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { freePort } from "../free-ports.ts";
import { answers, tempFolder } from "./broker-process.ts";

const HELPER = new URL("./broker-process.ts", import.meta.url).href;

test("a server ends with the process that started it, even when that is killed", async () => {
  const folder = await tempFolder("orphan");
  const port = await freePort();
  const server = `require("node:net").createServer((socket) => socket.end("hello")).listen(${port}, "127.0.0.1")`;
  const starter = `
    const { answers, ServerProcess } = await import(${JSON.stringify(HELPER)});
    const command = {
      program: process.execPath,
      args: ["-e", ${JSON.stringify(server)}],
      logFile: ${JSON.stringify(`${folder.path}/log`)},
      probe: () => answers(${port}),
    };
    await new ServerProcess(command).start();
    process.stdout.write("started");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", starter], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await answers(port);
  child.kill("SIGKILL");
  await expect
    .poll(() =>
      answers(port).then(
        () => "answers",
        () => "gone",
      ),
    )
    .toBe("gone");
  await folder.remove();
});
