import { loadNative } from "../../lib/disk/native.ts";
import { reasonOf } from "../../lib/errors.ts";
import { type DoctorFinding, type DoctorTask, Look } from "./finding.ts";

const NODE_MAJOR = 24;

/** Node.js, and the modules that are made for one kind of machine. */
export async function checkNative(
  { env }: Pick<DoctorTask, "env">,
  nodeVersion = process.versions.node,
): Promise<readonly DoctorFinding[]> {
  return [checkNode(nodeVersion), await checkHash(), checkCalls(env["FANFOLD_NATIVE"] === "0")];
}

function checkNode(version: string): DoctorFinding {
  const look = new Look("node", `Node.js ${NODE_MAJOR} or newer`);
  const found = `Node.js ${version} on ${process.platform} ${process.arch}`;
  if (Number.parseInt(version, 10) >= NODE_MAJOR) return look.ok(found);
  return look.error(found, "install a newer Node.js from https://nodejs.org");
}

async function checkHash(): Promise<DoctorFinding> {
  const look = new Look("hash-module", "the module that hashes (@napi-rs/blake-hash) loads");
  try {
    const { blake3UrlSafeBase64 } = await import("@napi-rs/blake-hash");
    blake3UrlSafeBase64("");
    return look.ok("it loads");
  } catch (thrown) {
    return look.error(
      `it does not load: ${reasonOf(thrown)}`,
      "install fanfold again on this very machine: the module is made for one kind of processor and system",
    );
  }
}

function checkCalls(isOff: boolean): DoctorFinding {
  const look = new Look("native-calls", "the module for calls of the system (koffi) loads");
  if (process.platform !== "linux") return look.skipped("this system is not Linux: it is not used here");
  if (loadNative() !== undefined) return look.ok("it loads");
  const without = "without it attributes, ACLs, holes and special files are not carried";
  if (isOff) return look.warning(`FANFOLD_NATIVE=0 switches it off; ${without}`, "leave out FANFOLD_NATIVE");
  return look.warning(`it does not load; ${without}`, "install fanfold again on this very machine");
}
