import { useSignal } from "@preact/signals";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { formatBytes, formatPercent, formatRate } from "../../words/format.ts";
import { sinkFraction } from "../../words/sink-progress.ts";
import { isLive, mayChange } from "../store/link.ts";
import { askForLimit, askToDrop } from "../store/orders.ts";
import type { ShownSession } from "../store/shown-session.ts";
import { limitMark } from "../words/limit-words.ts";
import { behindText, isAtWork, waitsFor } from "../words/sink-words.ts";
import { sinkWords } from "../words/state-words.ts";
import { Bar } from "./bar.tsx";
import { Chip } from "./chip.tsx";

/** More are folded: those in trouble, which come first, stay in sight. */
const ROWS_SHOWN = 8;
/** Where many sessions stand above each other. */
const ROWS_SHOWN_AMONG_MANY = 2;

interface SinkRowsProps {
  readonly session: ShownSession;
  /** `all`: it is shown alone. `few`: many others are on the page. */
  readonly room: "all" | "some" | "few";
}

/** A row for each sink of a session that waits or runs. */
export function SinkRows({ session, room }: SinkRowsProps) {
  const isOpen = useSignal(false);
  const names = session.names.value;
  const max = room === "few" ? ROWS_SHOWN_AMONG_MANY : ROWS_SHOWN;
  const mayFold = room !== "all" && names.length > max + 2;
  const isFolded = mayFold && !isOpen.value;
  const shown = isFolded ? names.slice(0, max) : names;
  if (names.length === 0) return null;
  return (
    <div class={`sinks ${mayChange() ? "changing" : ""}`}>
      <div class="sink-row sink-head" aria-hidden="true">
        <span>Sink</span>
        <span>Stored</span>
        <span />
        <span class="number">Rate</span>
        <span class="number">Behind</span>
        <span>State</span>
        <span class="number">Free</span>
      </div>
      <ul aria-label={`Sinks of ${session.shown.value.view.session}`}>
        {shown.map((name) => (
          <SinkRow key={name} session={session} name={name} />
        ))}
      </ul>
      {mayFold && (
        <button
          type="button"
          class="quiet"
          aria-expanded={!isFolded}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          {isFolded ? `Show ${names.length - max} more sinks` : "Show fewer sinks"}
        </button>
      )}
    </div>
  );
}

interface SinkRowProps {
  readonly session: ShownSession;
  readonly name: string;
}

function SinkRow({ session, name }: SinkRowProps) {
  const sink = session.sink(name)?.value;
  const { view, copy } = session.shown.value;
  if (sink === undefined) return null;
  const { line, meter, behindBytes } = sink;
  const { tone, text } = sinkWords(line, view.state);
  const progress = copy?.progress;
  const fraction = progress === undefined ? 0 : sinkFraction(line, progress);
  const isMoving = isAtWork(line) && isLive() && view.state === "running";
  const limit = limitMark(line);
  return (
    <li class="sink-row">
      <span class="name">
        {name}
        {limit !== undefined && <small>{limit}</small>}
      </span>
      <span class="done">
        {progress !== undefined && <Bar fraction={fraction} label={`${name} has stored`} tone={tone} />}
      </span>
      <span class="amount">
        {progress !== undefined && (
          <>
            {fraction !== undefined && <b>{formatPercent(fraction).trim()}</b>}
            <small>{formatBytes(line.progress.bytesDone)}</small>
          </>
        )}
      </span>
      <span class="number rate" data-label="rate">
        {isMoving && meter.perSecond > 0 ? formatRate(meter.perSecond) : "–"}
      </span>
      <span class="number behind" data-label="behind">
        {isAtWork(line) && progress !== undefined ? behindText(behindBytes) : "–"}
      </span>
      <span class="state">
        <Chip tone={tone} text={text} />
        <small class="doing">{waitsFor(line, view)}</small>
      </span>
      <SpaceLeft line={line} />
      {mayChange() && <SinkActions session={session} line={line} />}
    </li>
  );
}

/** Less of a disk than this is worth a word while a copy goes on. */
const LOW_PART = 0.1;

function SpaceLeft({ line: { freeBytes, sizeBytes = 0 } }: { readonly line: SinkLine }) {
  const isLow = freeBytes !== undefined && freeBytes < sizeBytes * LOW_PART;
  return (
    <span class={`number free ${isLow ? "low" : ""}`} data-label="free">
      {freeBytes === undefined ? "–" : formatBytes(freeBytes)}
    </span>
  );
}

function SinkActions({ session, line }: { readonly session: ShownSession; readonly line: SinkLine }) {
  const { view } = session.shown.value;
  if (!isAtWork(line) && line.state !== "registered") return <span class="actions" />;
  return (
    <span class="actions">
      <button
        type="button"
        class="quiet"
        aria-label={`Limit ${line.name}`}
        disabled={!isLive()}
        onClick={() => askForLimit(view, line.name)}
      >
        Limit
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Drop ${line.name}`}
        disabled={!isLive()}
        onClick={() => askToDrop(view, line.name)}
      >
        Drop
      </button>
    </span>
  );
}
