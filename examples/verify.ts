/**
 * Compares a sink's folder with what was copied into it, without a network. Ends with 1 when something differs.
 *
 *     node verify.ts FOLDER
 */
import { verifyFolder } from "fanfold";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node verify.ts FOLDER");

await using verification = verifyFolder({ folder, signal: AbortSignal.timeout(3_600_000) });
for await (const event of verification.events())
  if (event.type === "difference") console.log(`${event.difference.path}: ${event.difference.kinds.join(", ")}`);

const { result, counts } = await verification.result;
console.log(`${counts.files} files: ${result}`);
process.exitCode = result === "equal" ? 0 : 1;
