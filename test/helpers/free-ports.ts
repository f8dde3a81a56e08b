import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type ListenOptions, type Server } from "node:net";

/**
 * Below the ports that the system gives to whoever takes any (32768 and more on Linux). So nobody gets one of these by chance
 * while its server starts, or is away for a restart.
 */
const [FIRST_PORT, END_PORT] = [20_000, 32_000];
/** More than a test process gives out; a run of hours frees the oldest ones. */
const MARKS_MAX = 500;

const marks: Server[] = [];

/** Ports of this machine on which nobody listens; all different. No other test gets them as long as this process lives. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(FIRST_PORT, END_PORT);
    if (await takes(port)) ports.push(port);
  }
  return ports;
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function takes(port: number): Promise<boolean> {
  const mark = await marked(port);
  if (mark === undefined) return false;
  const server = await listening({ port, host: "127.0.0.1" });
  if (server === undefined) {
    mark.close();
    return false;
  }
  await once(server.close(), "close");
  marks.push(mark.unref());
  while (marks.length > MARKS_MAX) marks.shift()?.close();
  return true;
}

/** A name that only one process can have, and that goes with it, however it ends: a socket without a file. Linux only. */
async function marked(port: number): Promise<Server | undefined> {
  if (process.platform !== "linux") return createServer();
  return await listening({ path: `\0fanfold-test-port-${port}` });
}

async function listening(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(where);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}
