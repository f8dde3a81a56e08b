/** Opens the sink's folder of the argument, says so, and holds it until it is killed. */
import { systemRandom } from "../../../src/lib/random.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";

const folder = openSinkFolder(process.argv[2] ?? "", systemRandom);
process.stdout.write(`${folder.key.publicKey}\n`);
setInterval(() => folder.path, 60_000);
