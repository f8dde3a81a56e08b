/**
 * Copies one directory into several folders, all in one program: a coordinator, the sinks and the source.
 *
 *     node copy.ts FROM TO...
 */
import { openCoordinator, runSink, runSource, type SourceEvent } from "fanfold";

const [from, ...folders] = process.argv.slice(2);
if (from === undefined || folders.length === 0) throw new Error("usage: node copy.ts FROM TO...");

await using hub = await openCoordinator({ port: 0 });
const [coordinator = ""] = hub.addresses;
const sinks = folders.map((folder) => runSink({ coordinator, folder }));
await using source = runSource({ coordinator, folder: from, destCount: folders.length });
void follow(source.events());

const [summary] = await Promise.all([source.result, ...sinks.map((sink) => sink.result)]);
for (const { name, outcome } of summary.sinks) console.log(`${name}: ${outcome}`);

/** Every reader of `events()` gets all of them. Whoever stops reading costs nothing. */
async function follow(events: AsyncIterable<SourceEvent>): Promise<void> {
  for await (const event of events) if (event.type === "progress") console.log(`${event.progress.bytesDone} bytes`);
}
