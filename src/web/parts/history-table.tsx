import type { SessionEntry } from "../../protocol/api/answer-schemas.ts";
import { formatBytes, formatCount, formatElapsed } from "../../words/format.ts";
import { sessionPath } from "../store/place.ts";
import { history, olderFrom, readOlder } from "../store/records.ts";
import { shownMoment } from "../words/moment.ts";
import { resultWords } from "../words/state-words.ts";
import { Chip } from "./chip.tsx";
import { Fold } from "./fold.tsx";

/** Sessions that are over. */
export function HistoryTable() {
  const entries = history.value;
  if (entries === undefined || entries.length === 0) return null;
  return (
    <section aria-labelledby="ended">
      <h2 id="ended">Ended</h2>
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">Result</th>
              <th scope="col">Ended</th>
              <th scope="col">Directory</th>
              <th scope="col">From</th>
              <th scope="col" class="number">
                Sinks
              </th>
              <th scope="col" class="number">
                Files
              </th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Took
              </th>
              <th scope="col" class="number">
                Problems
              </th>
              <th scope="col">Digest</th>
            </tr>
          </thead>
          <Fold items={entries} columns={11} what="sessions">
            {(entry) => <EntryRow key={entry.sessionId} entry={entry} />}
          </Fold>
        </table>
        {olderFrom.value !== undefined && (
          <button type="button" class="quiet" onClick={() => void readOlder().catch(() => undefined)}>
            Load older sessions
          </button>
        )}
      </div>
    </section>
  );
}

interface EntryRowProps {
  readonly entry: SessionEntry;
}

const DIGEST_SHOWN = 8;

function EntryRow({ entry }: EntryRowProps) {
  const { sessionId, session, ended, source, directory, sinks, files, bytes, elapsedMs, problemCount, digest } = entry;
  const orDash = <T,>(value: T | undefined, format: (value: T) => string): string =>
    value === undefined ? "–" : format(value);
  return (
    <tr>
      <th scope="row">
        <a href={sessionPath(sessionId)}>{session}</a>
      </th>
      <td data-label="result">
        <Chip {...resultWords(entry)} />
      </td>
      <td data-label="ended">{orDash(ended, (time) => shownMoment(time))}</td>
      <td data-label="directory">{directory ?? "–"}</td>
      <td data-label="from">{source ?? "–"}</td>
      <td data-label="sinks" class="number">
        {sinks}
      </td>
      <td data-label="files" class="number">
        {orDash(files, formatCount)}
      </td>
      <td data-label="size" class="number">
        {orDash(bytes, formatBytes)}
      </td>
      <td data-label="took" class="number">
        {orDash(elapsedMs, formatElapsed)}
      </td>
      <td data-label="problems" class={`number ${(problemCount ?? 0) > 0 ? "careful" : ""}`}>
        {orDash(problemCount, formatCount)}
      </td>
      <td data-label="digest">
        <code>{orDash(digest, (text) => text.slice(0, DIGEST_SHOWN))}</code>
      </td>
    </tr>
  );
}
