import { spawnSync } from "node:child_process";
import { findProgram } from "../brokers/broker-programs.ts";

/** Network namespaces, joined by a switch: each has an address of its own, and loopback of its own. */
export interface Machines extends Disposable {
  /** In the order of their names. */
  readonly all: readonly Machine[];
}

export interface Machine {
  readonly name: string;
  readonly address: string;
  /** A program and its arguments that run a command there. */
  readonly through: readonly string[];
}

/** Whether there can be machines: for `test.skipIf(!machinesAvailable())`. Said aloud when not. It needs root. */
export function machinesAvailable(): boolean {
  available ??= findOut();
  return available;
}

let available: boolean | undefined;
let made = 0;

function findOut(): boolean {
  if (process.getuid?.() === 0 && findProgram("ip") !== undefined) {
    try {
      openMachines(["trial"])[Symbol.dispose]();
      return true;
    } catch {
      // Containers usually may not.
    }
  }
  console.warn("SKIPPED what needs several machines: network namespaces cannot be made here");
  return false;
}

/** @throws Error when they cannot be made */
export function openMachines(names: readonly string[]): Machines {
  made += 1;
  const prefix = `fanfold-${process.pid}-${made}`;
  const middle = `${prefix}-switch`;
  const namespaces: string[] = [];
  const close = (): void => {
    for (const namespace of namespaces) remove(namespace);
  };
  const add = (namespace: string): void => {
    ip("netns", "add", namespace);
    namespaces.push(namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
  };
  try {
    // The switch has a namespace of its own, where no firewall of this machine looks at what passes.
    add(middle);
    ip("-n", middle, "link", "add", "switch", "type", "bridge");
    ip("-n", middle, "link", "set", "switch", "up");
    const all = names.map((name, index): Machine => {
      const namespace = `${prefix}-${name}`;
      const address = `10.77.0.${index + 1}`;
      const port = `port${index + 1}`;
      add(namespace);
      ip("link", "add", port, "netns", middle, "type", "veth", "peer", "name", "eth0", "netns", namespace);
      ip("-n", middle, "link", "set", port, "master", "switch", "up");
      ip("-n", namespace, "address", "add", `${address}/24`, "dev", "eth0");
      ip("-n", namespace, "link", "set", "eth0", "up");
      return { name, address, through: ["ip", "netns", "exec", namespace] };
    });
    return { all, [Symbol.dispose]: close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

/** With all that still runs in it. */
function remove(namespace: string): void {
  const { stdout } = spawnSync("ip", ["netns", "pids", namespace], { encoding: "utf8" });
  for (const pid of stdout.match(/\d+/g) ?? []) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has gone by itself.
    }
  }
  spawnSync("ip", ["netns", "delete", namespace]);
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}
