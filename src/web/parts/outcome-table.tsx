import type { SessionDetail } from "../../protocol/api/answer-schemas.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { formatBytes, formatCount } from "../../words/format.ts";
import { inOrder } from "../../words/sink-order.ts";
import { SINK_WORDS } from "../words/state-words.ts";
import { Chip } from "./chip.tsx";
import { CommandLine } from "./command-line.tsx";
import { Fold } from "./fold.tsx";

interface OutcomeTableProps {
  readonly session: SessionDetail;
  readonly summary: SessionSummary;
}

/** What came of it at each sink. */
export function OutcomeTable({ session, summary }: OutcomeTableProps) {
  const { missing = [] } = summary;
  const sinks = inOrder(summary.sinks, ({ outcome }) => outcome);
  return (
    <section aria-labelledby="outcomes">
      <h2 id="outcomes">Sinks</h2>
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Sink</th>
              <th scope="col">Outcome</th>
              <th scope="col" class="number">
                Files
              </th>
              <th scope="col" class="number">
                Stored
              </th>
              <th scope="col" class="number">
                Unchanged
              </th>
              <th scope="col" class="number">
                Problems
              </th>
              <th scope="col">Receipt</th>
            </tr>
          </thead>
          <Fold items={sinks} columns={7} what="sinks">
            {(sink) => <OutcomeRow key={sink.sinkId} sink={sink} receipt={receiptOf(session, sink)} />}
          </Fold>
        </table>
        {missing.length > 0 && <p class="careful">Expected, and not there: {missing.join(", ")}</p>}
      </div>
    </section>
  );
}

interface OutcomeRowProps {
  readonly sink: SinkOutcome;
  readonly receipt: string | undefined;
}

function OutcomeRow({ sink, receipt }: OutcomeRowProps) {
  const { name, outcome, message, filesDone, bytesDone, bytesUnchanged, problemCount, caughtUp, unsynced } = sink;
  const kept = sink.snapshot === undefined ? "" : `snapshot ${sink.snapshot.name}`;
  const disk = unsynced === true ? "not synced to its disk" : "";
  const remarks = [caughtUp ? "caught up" : "", disk, kept, message ?? ""];
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="outcome">
        <Chip {...SINK_WORDS[outcome]} /> <small>{remarks.filter((text) => text !== "").join("; ")}</small>
      </td>
      <td data-label="files" class="number">
        {formatCount(filesDone)}
      </td>
      <td data-label="stored" class="number">
        {formatBytes(bytesDone)}
      </td>
      <td data-label="unchanged" class="number">
        {formatBytes(bytesUnchanged)}
      </td>
      <td data-label="problems" class={`number ${problemCount > 0 ? "careful" : ""}`}>
        {formatCount(problemCount)}
      </td>
      <td data-label="receipt">{receipt === undefined ? "–" : <Receipt name={name} text={receipt} />}</td>
    </tr>
  );
}

function Receipt({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <details>
      <summary>signed</summary>
      <p class="hint">In a file, it is checked by fanfold receipt verify FILE, anywhere and at any time.</p>
      <CommandLine label={`the receipt of ${name}`} text={text} />
    </details>
  );
}

/** The summary names a sink by its id in the session, and so do the members. */
function receiptOf({ members }: SessionDetail, { sinkId, name }: SinkOutcome): string | undefined {
  const ofSink = members.filter(({ role }) => role === "sink");
  return (ofSink.find(({ id }) => id === sinkId) ?? ofSink.find((member) => member.name === name))?.receipt;
}
