/**
 * A sink that stays: it takes one copy after another, until it is stopped by Ctrl-C or SIGTERM.
 *
 *     FANFOLD_TOKEN=ff1_sink_… node sink.ts COORDINATOR FOLDER
 *
 * The token is needed at the first start only, and not at all for a coordinator on the same machine.
 */
import { FanfoldError, runSink } from "fanfold";

const [coordinator, folder] = process.argv.slice(2);
if (coordinator === undefined || folder === undefined) throw new Error("usage: node sink.ts COORDINATOR FOLDER");

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const token = process.env["FANFOLD_TOKEN"];
await using sink = runSink({
  coordinator,
  folder,
  stay: true,
  signal: stop.signal,
  ...(token === undefined ? {} : { token }),
});
sink.result.catch((error: unknown) => {
  if (stop.signal.aborted) return;
  console.error(error instanceof FanfoldError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
});

for await (const event of sink.events()) {
  if (event.type === "waiting") console.log("waiting");
  if (event.type === "problem") console.log(`${event.problem.path}: ${event.problem.message}`);
  if (event.type === "finished") console.log(`${event.outcome.outcome} after ${Math.round(event.elapsedMs)} ms`);
}
