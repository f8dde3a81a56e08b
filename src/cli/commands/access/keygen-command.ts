import { writeFileSync } from "node:fs";
import { systemClock } from "../../../lib/clock.ts";
import { makeAgeKey } from "../../../lib/crypto/age.ts";
import { FanfoldError, reasonOf, systemCode } from "../../../lib/errors.ts";
import { shownPath } from "../../../lib/folder/file-path.ts";
import { readAgeKeys } from "../../../sink/own/age-keys.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";

/** As commander reads them. */
export interface KeygenOptions {
  readonly output?: Buffer;
  readonly public?: Buffer;
}

/** `fanfold keygen`: the same text as age-keygen writes. Without a file the key goes to standard output. */
export function keygenCommand(options: KeygenOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, async () => {
    if (options.public !== undefined) {
      const reading = { option: "--public", clock: systemClock, signal: new AbortController().signal };
      for (const { recipient } of await readAgeKeys(options.public, reading)) io.stdout.write(`${recipient}\n`);
      return;
    }
    const { secretKey, recipient } = await makeAgeKey();
    const created = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const text = `# created: ${created}\n# public key: ${recipient}\n${secretKey}\n`;
    if (options.output === undefined) io.stdout.write(text);
    else writeKey(options.output, text);
    io.stderr.write(`Public key: ${recipient}\n`);
  });
}

/** @throws FanfoldError `usage` */
function writeKey(file: Buffer, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx", flush: true });
  } catch (cause) {
    const reason = systemCode(cause) === "EEXIST" ? "it exists already; name a new file" : reasonOf(cause);
    throw new FanfoldError("usage", `cannot write the key to "${shownPath(file)}": ${reason}`, { cause });
  }
}
