/** Copies the folder of the first argument into that of the second; prints the result, or the code of the failure. */

import { FanfoldError, systemCode } from "../../../src/lib/errors.ts";
import { copyInProcess } from "../copies/copy-in-process.ts";

const [source = "", sink = "", umask] = process.argv.slice(2);
if (umask !== undefined) process.umask(Number.parseInt(umask, 8));
try {
  process.stdout.write(JSON.stringify(copyInProcess(source, sink)));
} catch (thrown) {
  process.stdout.write(JSON.stringify({ failed: systemCode(thrown) ?? FanfoldError.from(thrown).code }));
}
