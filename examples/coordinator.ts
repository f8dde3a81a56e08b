/**
 * A coordinator in a program of one's own. It says who comes, and how each session ends, until Ctrl-C or SIGTERM.
 *
 *     node coordinator.ts [PORT]
 */
import { openCoordinator } from "fanfold";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

await using coordinator = await openCoordinator({ port: Number(process.argv[2] ?? 0), signal: stop.signal });
console.log(`listening at ${coordinator.addresses[0]}`);

for await (const event of coordinator.events()) {
  if (event.type === "registered") console.log(`${event.role} ${event.name} in session ${event.session}`);
  if (event.type === "warning") console.error(event.message);
  if (event.type === "finished") {
    const { result, sinks, files } = event.summary;
    console.log(`session ${event.session}: ${result}, ${files} files to ${sinks.length} sinks`);
  }
}
