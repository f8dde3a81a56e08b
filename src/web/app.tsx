import { useEffect } from "preact/hooks";
import { formatPercent } from "../words/format.ts";
import { FleetTable } from "./parts/fleet-table.tsx";
import { HistoryTable } from "./parts/history-table.tsx";
import { LogIn } from "./parts/log-in.tsx";
import { MissedTable } from "./parts/missed-table.tsx";
import { PageTitle } from "./parts/page-title.tsx";
import { QuestionDialog } from "./parts/question-dialog.tsx";
import { SessionCard } from "./parts/session-card.tsx";
import { SessionPage } from "./parts/session-page.tsx";
import { StartGuide } from "./parts/start-guide.tsx";
import { LostBanner, TopBar } from "./parts/top-bar.tsx";
import { announced } from "./store/announce.ts";
import { isLive, link } from "./store/link.ts";
import { sessionInPath } from "./store/place.ts";
import { hasSessions, sessions } from "./store/sessions.ts";
import type { ShownSession } from "./store/shown-session.ts";

/** With more sessions each shows only its worst sinks. */
const SESSIONS_IN_FULL = 4;

/** The whole page. */
export function App() {
  const { value } = link;
  const id = sessionInPath();
  return (
    <>
      <TopBar />
      <LostBanner />
      <main class={value.state === "lost" ? "stale" : ""}>
        {value.state === "locked" ? (
          <LogIn why={value.why} />
        ) : id === undefined ? (
          <FirstPage />
        ) : (
          <SessionPage key={id} id={id} />
        )}
      </main>
      <div class="unseen" role="log" aria-label="What has changed">
        {announced.value.map(({ number, text }) => (
          <p key={number}>{text}</p>
        ))}
      </div>
      <QuestionDialog />
      <Title />
    </>
  );
}

function FirstPage() {
  const all = sessions.value;
  const copying = all.filter(({ shown }) => shown.value.view.state !== "waiting");
  const waiting = all.filter(({ shown }) => shown.value.view.state === "waiting");
  const room = all.length > SESSIONS_IN_FULL ? "few" : "some";
  return (
    <>
      <PageTitle isUnseen>Sessions of {location.host}</PageTitle>
      <MissedTable />
      <Sessions title="Copying" id="copying" sessions={copying} room={room} />
      <Sessions title="Waiting" id="waiting" sessions={waiting} room={room} />
      {isLive() && hasSessions.value && all.length === 0 && <StartGuide />}
      <HistoryTable />
      <FleetTable />
    </>
  );
}

interface SessionsProps {
  readonly title: string;
  readonly id: string;
  readonly sessions: readonly ShownSession[];
  readonly room: "some" | "few";
}

function Sessions({ title, id, sessions: listed, room }: SessionsProps) {
  if (listed.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {title} {listed.length > 1 && <small>{listed.length}</small>}
      </h2>
      {listed.map((session) => (
        <SessionCard key={session.id} session={session} room={room} />
      ))}
    </section>
  );
}

/** The tab tells how far it is, too. */
function Title() {
  const [first] = sessions.value;
  const shown = first?.shown.value;
  const percent = shown?.copy?.progress.discoveryEnded === true ? `${formatPercent(shown.copy.fraction).trim()} ` : "";
  const isCopying = isLive() && shown !== undefined && shown.view.state === "running";
  const title = isCopying ? `${percent}${shown.view.session} – fanfold` : "fanfold";
  useEffect(() => {
    document.title = title;
  }, [title]);
  return null;
}
