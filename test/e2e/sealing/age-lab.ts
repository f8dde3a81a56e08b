import { writeFileSync } from "node:fs";
import type { AgeKey } from "../../../src/lib/crypto/age.ts";
import { ageKeys } from "../../helpers/copies/age-keys.ts";
import type { CliLab } from "../../helpers/processes/cli.ts";

/** An age key, and the options that give it. */
export interface GivenKey extends AgeKey {
  /** The file that holds it. */
  readonly file: string;
  /** Of the sink that has it. */
  readonly sinkArgs: readonly string[];
  /** Of a source that encrypts for it. */
  readonly sourceArgs: readonly string[];
}

/** A fresh key in a file of this name. */
export async function givenKey(lab: CliLab, name: string): Promise<GivenKey> {
  const [key] = await ageKeys(1);
  const file = lab.path(`${name}.key`);
  writeFileSync(file, `# ${name}\n${key.secretKey}\n`, { mode: 0o600 });
  return { ...key, file, sinkArgs: ["--age-key", file], sourceArgs: ["--recipient", key.recipient] };
}
