import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Shows a directory under another path as well, which is made, until it is disposed of. @throws Error when it cannot */
export function bindMount(from: string, to: string): Disposable {
  mkdirSync(to);
  const { status, stderr } = spawnSync("mount", ["--bind", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount --bind ${from} ${to}: ${stderr}`);
  return { [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", to]) };
}
