import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { throwIfAborted } from "../../src/lib/async/abort.ts";

export const HOST = "127.0.0.1";
const LISTENING = "0A";

/** Ports that nobody uses, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("Find a free port: the system gave none");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))));
  return ports;
}

async function listen(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve));
  return server;
}

/** Waits without connecting, for servers that take one client only; in the network that a process is in. */
export async function listening(port: number, signal: AbortSignal, pid: number | "self" = "self"): Promise<void> {
  while (listeningSockets(port, pid).length === 0) {
    throwIfAborted(signal);
    await delay(5, undefined, { signal });
  }
}

/** Sockets of this machine that listen at a TCP port, as `/proc/PID/fd` names them. */
export function listeningSockets(port: number, pid: number | "self" = "self"): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`]
    .flatMap(rowsOf)
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) === true && state === LISTENING)
    .map((fields) => `socket:[${fields[9]}]`);
}

function rowsOf(table: string): string[] {
  try {
    return readFileSync(table, "utf8").split("\n");
  } catch {
    return [];
  }
}
