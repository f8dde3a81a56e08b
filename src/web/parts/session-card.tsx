import { useEffect } from "preact/hooks";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { isDone } from "../../words/copy-done.ts";
import { shownRate, timeLeft } from "../../words/copy-state.ts";
import { formatBytes, formatClock, formatCount, formatPercent, plural } from "../../words/format.ts";
import { sealedText } from "../../words/sealed-text.ts";
import { isLive, mayChange } from "../store/link.ts";
import { askForLimit, askToCancel } from "../store/orders.ts";
import { sessionPath } from "../store/place.ts";
import { readRates } from "../store/rates.ts";
import type { Shown, ShownSession } from "../store/shown-session.ts";
import { limitMark } from "../words/limit-words.ts";
import { isDryRun, sessionWords } from "../words/state-words.ts";
import { verdictOf } from "../words/verdict.ts";
import { Bar } from "./bar.tsx";
import { Chart } from "./chart.tsx";
import { Chip } from "./chip.tsx";
import { SinkRows } from "./sink-rows.tsx";

interface SessionCardProps {
  readonly session: ShownSession;
  readonly room: "all" | "some" | "few";
}

/** A session that waits or runs. */
export function SessionCard({ session, room }: SessionCardProps) {
  const shown = session.shown.value;
  const { view } = shown;
  const words = sessionWords(view);
  const text = isLive() ? words.text : `was ${words.text}`;
  const verdict = verdictOf(view);
  const title = `session-${view.sessionId}`;
  return (
    <article class={`card session ${room}`} aria-labelledby={title}>
      <header>
        <h3 id={title} aria-level={room === "all" ? 2 : 3}>
          {room === "all" ? view.session : <a href={sessionPath(view.sessionId)}>{view.session}</a>}
        </h3>
        <Chip tone={words.tone} text={text} />
        <Route shown={shown} />
        {mayChange() && view.state !== "ended" && <SessionActions shown={shown} />}
      </header>
      {view.state !== "waiting" && <CopyFacts session={session} room={room} />}
      <p class={`verdict ${verdict.tone}`}>{verdict.text}</p>
      <SinkRows session={session} room={room} />
    </article>
  );
}

interface ShownProps {
  readonly shown: Shown;
}

function Route({ shown: { view } }: ShownProps) {
  const { source, directory, sinks, needed, state, sealed } = view;
  const isShort = state === "waiting" && needed !== undefined;
  const count = isShort ? `${sinks.length} of ${plural(needed, "sink")}` : plural(sinks.length, "sink");
  const limit = limitMark(view);
  return (
    <p class="route">
      {directory !== undefined && <b>{directory}</b>} {source === undefined ? "no source yet" : `from ${source}`} to{" "}
      {count}
      {sealed === true && <small>{sealedText(view)}</small>}
      {limit !== undefined && <small>{limit}</small>}
    </p>
  );
}

function SessionActions({ shown: { view } }: ShownProps) {
  return (
    <span class="actions">
      {view.source !== undefined && (
        <button
          type="button"
          aria-label={`Limit ${view.source}`}
          disabled={!isLive()}
          onClick={() => askForLimit(view, undefined)}
        >
          Limit
        </button>
      )}
      <button
        type="button"
        aria-label={`Cancel ${view.session}`}
        disabled={!isLive()}
        onClick={() => askToCancel(view)}
      >
        Cancel
      </button>
    </span>
  );
}

function CopyFacts({ session, room }: SessionCardProps) {
  const { copy, trail, view } = session.shown.value;
  const hasChart = trail !== undefined && room !== "few";
  useEffect(() => {
    if (hasChart) void readRates(session, view.epoch);
  }, [session, view.epoch, hasChart]);
  if (copy === undefined) return <p class="file">It has just begun.</p>;
  const { progress } = copy;
  const isMoving = isLive() && view.state === "running";
  const left = isMoving ? timeLeft(copy) : undefined;
  return (
    <div class="copy">
      <div class="far">
        <p class="percent">
          <b>{progress.discoveryEnded ? formatPercent(copy.fraction).trim() : formatBytes(progress.bytesDone)}</b>
          <span>{isLive() ? leftText(view, progress, left) : ""}</span>
        </p>
        <Bar fraction={progress.discoveryEnded ? copy.fraction : undefined} label={`${view.session} is copied`} />
        <p class="counts">{countsText(progress)}</p>
        <p class="file">{view.state === "ended" ? "" : fileText(progress, view)}</p>
      </div>
      {hasChart && <Chart points={trail.points} perSecond={isMoving ? shownRate(copy) : undefined} />}
    </div>
  );
}

function leftText({ state }: SessionView, progress: CopyProgress, leftMs: number | undefined): string {
  if (state === "ended") return `in ${formatClock(progress.elapsedMs)}`;
  const soFar = `${formatClock(progress.elapsedMs)} so far`;
  if (!progress.discoveryEnded) return `${soFar}, still looking for files`;
  if (isDone(progress)) return `finishing, ${soFar}`;
  return leftMs === undefined ? soFar : `about ${formatClock(leftMs)} left`;
}

function countsText(progress: CopyProgress): string {
  const { bytesDone, bytesFound, filesDone, filesFound, bytesUnchanged, bytesKept, discoveryEnded } = progress;
  const least = discoveryEnded ? "" : "at least ";
  const unchanged = bytesUnchanged > 0 ? `, ${formatBytes(bytesUnchanged)} of it unchanged` : "";
  const kept = bytesKept > 0 ? `, ${formatBytes(bytesKept)} reused of changed files` : "";
  const bytes = `${formatBytes(Math.min(bytesDone, bytesFound))} of ${least}${formatBytes(bytesFound)}`;
  const files = `${formatCount(Math.min(filesDone, filesFound))} of ${least}${plural(filesFound, "file")}`;
  return `${bytes}, ${files}${unchanged}${kept}`;
}

function fileText(progress: CopyProgress, view: SessionView): string {
  if (progress.currentFile !== "") return progress.currentFile;
  if (!progress.discoveryEnded) return "looking for files";
  // Which file is on its way is nothing that a coordinator is told then.
  if (!isDone(progress))
    return view.recipients === undefined ? "comparing files" : "Only its recipients see names of files.";
  return isDryRun(view) ? "The sinks say what they would want." : "Everything is sent. The sinks prove their copies.";
}
