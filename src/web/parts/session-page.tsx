import { useEffect, useState } from "preact/hooks";
import type { SessionDetail } from "../../protocol/api/answer-schemas.ts";
import type { RatePoint } from "../../protocol/api/trail.ts";
import { formatBytes, formatElapsed, formatRate, plural } from "../../words/format.ts";
import { detail, readDetail } from "../store/detail.ts";
import { isLive } from "../store/link.ts";
import { ratesOf } from "../store/rates.ts";
import { recordsVersion } from "../store/records.ts";
import { sessionWith } from "../store/sessions.ts";
import { shownMoment } from "../words/moment.ts";
import { resultWords } from "../words/state-words.ts";
import { Chart } from "./chart.tsx";
import { Chip } from "./chip.tsx";
import { OutcomeTable } from "./outcome-table.tsx";
import { PageTitle } from "./page-title.tsx";
import { Problems } from "./problems.tsx";
import { SessionCard } from "./session-card.tsx";

interface SessionPageProps {
  readonly id: string;
}

/** One session: as it goes, and what is kept of it. */
export function SessionPage({ id }: SessionPageProps) {
  const version = recordsVersion.value;
  const live = sessionWith(id);
  const isHere = live !== undefined;
  useEffect(() => {
    void readDetail(id);
  }, [id, version, isHere]);
  const { value } = detail;
  const kept = value.state === "known" && value.session.sessionId === id ? value.session : undefined;
  const name = live?.shown.value.view.session ?? kept?.session;
  return (
    <>
      <nav aria-label="Where you are" class="trail">
        <a href="/">All sessions</a>
      </nav>
      <PageTitle>{name === undefined ? "Session" : `Session ${name}`}</PageTitle>
      {live !== undefined && <SessionCard session={live} room="all" />}
      {live === undefined && kept?.state === "ended" && <Ended session={kept} />}
      {value.state === "unknown" && !isHere && (
        <p class="card">
          {value.why} <a href="/">All that is known</a> is on the first page.
        </p>
      )}
      {value.state === "asking" && !isHere && isLive() && <p class="card">Asking for it.</p>}
      {kept !== undefined && <Facts session={kept} />}
    </>
  );
}

interface DetailProps {
  readonly session: SessionDetail;
}

function Ended({ session }: DetailProps) {
  const { sessionId, summary, source = "its source", directory, sinks, reason } = session;
  const [rates, setRates] = useState<readonly RatePoint[]>([]);
  useEffect(() => {
    void ratesOf(sessionId).then(setRates);
  }, [sessionId]);
  return (
    <>
      <article class="card session" aria-label={`Session ${session.session}, ended`}>
        <header>
          <Chip {...resultWords(session)} />
          <p class="route">
            {directory !== undefined && <b>{directory}</b>} from {source} to {plural(sinks, "sink")}
          </p>
        </header>
        <p class="ending">{endText(session)}</p>
        {reason !== undefined && <p class="hint">{reason}</p>}
        {rates.length > 1 && <Chart points={rates} perSecond={undefined} />}
      </article>
      {summary !== undefined && <OutcomeTable session={session} summary={summary} />}
      {summary !== undefined && <Problems summary={summary} />}
    </>
  );
}

function endText({ summary, ended }: SessionDetail): string {
  const when = ended === undefined ? "" : ` Ended ${shownMoment(ended)}.`;
  if (summary === undefined) return `It ended without a summary of its source.${when}`;
  const { files, bytes, elapsedMs, bytesSent, bytesSentAgain, bytesCaughtUp } = summary;
  const sent = bytesSent + bytesSentAgain + bytesCaughtUp;
  const rate = elapsedMs > 0 && sent > 0 ? `, ${formatRate((sent * 1000) / elapsedMs)}` : "";
  const what = `${plural(files, "file")}, ${formatBytes(bytes)}`;
  const lanes = bytesCaughtUp > 0 ? `, ${formatBytes(bytesCaughtUp)} of it to those who were behind` : "";
  return `${what} in ${formatElapsed(elapsedMs)}. ${formatBytes(sent)} sent${lanes}${rate}.${when}`;
}

function Facts({ session }: DetailProps) {
  const { sessionId, epoch, opened, started, digest, members } = session;
  const source = members.filter(({ role }) => role === "source").at(-1);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Digest of the tree", digest],
    ["Opened", shownMoment(opened)],
    ["Began to copy", started === undefined ? undefined : shownMoment(started)],
    ["Starts of its source", epoch > 1 ? String(epoch) : undefined],
    ["Key of the source", source?.key],
    ["Id", sessionId],
  ];
  return (
    <section class="card facts" aria-label="What is kept of it">
      <dl>
        {facts.map(([term, text]) =>
          text === undefined ? null : (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{text}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}
