import type { FleetSink } from "../../protocol/api/answer-schemas.ts";
import { formatBytes, formatCount } from "../../words/format.ts";
import { sessionPath } from "../store/place.ts";
import { fleet } from "../store/records.ts";
import { shownMoment } from "../words/moment.ts";
import { Bar } from "./bar.tsx";
import { Chip } from "./chip.tsx";
import { Fold } from "./fold.tsx";

/** Each sink that is known, and its last whole copy. */
export function FleetTable() {
  const sinks = fleet.value;
  if (sinks === undefined || sinks.length === 0) return null;
  return (
    <section aria-labelledby="fleet">
      <h2 id="fleet">Sinks</h2>
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Sink</th>
              <th scope="col">Now</th>
              <th scope="col">Last whole copy</th>
              <th scope="col">Of session</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col">Free space</th>
              <th scope="col">Version</th>
            </tr>
          </thead>
          <Fold items={sinks} columns={7} what="sinks">
            {(sink) => <SinkRecord key={sink.key} sink={sink} />}
          </Fold>
        </table>
      </div>
    </section>
  );
}

interface SinkRecordProps {
  readonly sink: FleetSink;
}

function SinkRecord({ sink }: SinkRecordProps) {
  const { key, name, connected, software, lastProof, lastCopy } = sink;
  return (
    <tr>
      <th scope="row" title={key}>
        {name}
      </th>
      <td data-label="now">
        <Chip tone={connected ? "good" : "calm"} text={connected ? "connected" : "not here"} />
      </td>
      <td data-label="last whole copy">
        {lastProof === undefined ? "none yet" : shownMoment(lastProof.provenAt)}
        {lastCopy !== undefined && lastCopy.sessionId !== lastProof?.sessionId && <small> incomplete since</small>}
        <Check sink={sink} />
      </td>
      <td data-label="of session">
        {lastProof === undefined ? "–" : <a href={sessionPath(lastProof.sessionId)}>{lastProof.session}</a>}
      </td>
      <td data-label="size" class="number">
        {lastProof === undefined ? "–" : formatBytes(lastProof.bytes)}
      </td>
      <td data-label="free space">
        <Space sink={sink} />
      </td>
      <td data-label="version">{software ?? "–"}</td>
    </tr>
  );
}

/** When it has read its copy again, and what it found. */
function Check({ sink: { lastCheck } }: SinkRecordProps) {
  if (lastCheck === undefined) return null;
  const { at, result, differing, missing } = lastCheck;
  const found = result === "equal" ? "equal" : `${formatCount(differing + missing)} damaged`;
  return (
    <small>
      {" "}
      read again {shownMoment(at)}: {found}
    </small>
  );
}

/** Nearly full is worth a look. */
const FULL_FROM = 0.9;

function Space({ sink: { name, freeBytes, sizeBytes } }: SinkRecordProps) {
  if (freeBytes === undefined || sizeBytes === undefined || sizeBytes === 0) return <>–</>;
  const used = Math.min(1, Math.max(0, 1 - freeBytes / sizeBytes));
  return (
    <span class="space">
      <Bar fraction={used} label={`The disk of ${name} is used`} tone={used >= FULL_FROM ? "bad" : "calm"} />
      <span>
        {formatBytes(freeBytes)} <small>of {formatBytes(sizeBytes)}</small>
      </span>
    </span>
  );
}
