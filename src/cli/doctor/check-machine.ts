import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { formatBytes, formatCount } from "../../words/format.ts";
import { type DoctorFinding, Look } from "./finding.ts";

const MIB = 1024 * 1024;
/** A sink has up to 64 files open beside directories and connections, a coordinator a connection for each member. */
const DESCRIPTORS_WANTED = 1024;
const DESCRIPTORS_MIN = 256;
/** One process takes up to 200 MiB. */
const MEMORY_WANTED_BYTES = 512 * MIB;
const MEMORY_MIN_BYTES = 128 * MIB;

interface MachineFacts {
  /** Text of `/proc/self/limits`, where the system has it. */
  readonly limits: string | undefined;
  /** Bytes that the process may take, 0 where nobody says. */
  readonly constrainedBytes: number;
  readonly totalBytes: number;
}

/** What the system lets a process take. */
export function checkMachine(_task: unknown, facts: MachineFacts = thisMachine()): readonly DoctorFinding[] {
  return [checkDescriptors(facts), checkMemory(facts)];
}

function thisMachine(): MachineFacts {
  return { limits: readLimits(), constrainedBytes: process.constrainedMemory(), totalBytes: totalmem() };
}

function checkDescriptors({ limits }: MachineFacts): DoctorFinding {
  const look = new Look("descriptors", `${formatCount(DESCRIPTORS_WANTED)} open files and connections, or more`);
  const allowed = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? "")?.[1];
  if (allowed === undefined) return look.skipped("this system does not tell in a way that is known here");
  const found = allowed === "unlimited" ? "no limit" : formatCount(Number(allowed));
  const todo = `raise it: ulimit -n ${DESCRIPTORS_WANTED} in the shell, or LimitNOFILE= of a service`;
  if (allowed === "unlimited" || Number(allowed) >= DESCRIPTORS_WANTED) return look.ok(found);
  return Number(allowed) < DESCRIPTORS_MIN ? look.error(found, todo) : look.warning(found, todo);
}

function checkMemory({ constrainedBytes, totalBytes }: MachineFacts): DoctorFinding {
  const look = new Look("memory", `${formatBytes(MEMORY_WANTED_BYTES)} or more for each process`);
  const isLimited = constrainedBytes > 0 && constrainedBytes < totalBytes;
  const allowed = isLimited ? constrainedBytes : totalBytes;
  const found = isLimited
    ? `${formatBytes(allowed)}, to which the group of this process is limited`
    : `${formatBytes(allowed)}, which is all of this machine`;
  const todo = isLimited
    ? "raise the limit: MemoryMax= of a service, --memory of a container"
    : "use a machine with more memory, and run nothing else on it";
  if (allowed >= MEMORY_WANTED_BYTES) return look.ok(found);
  return allowed < MEMORY_MIN_BYTES ? look.error(found, todo) : look.warning(found, todo);
}

function readLimits(): string | undefined {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return undefined;
  }
}
