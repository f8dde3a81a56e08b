import type { WantedSession } from "../../protocol/api/answer-schemas.ts";
import { formatElapsed } from "../../words/format.ts";
import { missed } from "../store/records.ts";
import { shownMoment } from "../words/moment.ts";
import { Chip } from "./chip.tsx";
import { Fold } from "./fold.tsx";

/** Names that are watched and have no whole copy in time: what is to be looked at first. */
export function MissedTable() {
  const names = missed.value;
  if (names.length === 0) return null;
  return (
    <section aria-labelledby="missed">
      <h2 id="missed">Missed</h2>
      <div class="card table">
        <table>
          <thead>
            <tr>
              <th scope="col">Session</th>
              <th scope="col">Now</th>
              <th scope="col">Last whole copy</th>
              <th scope="col">Known since</th>
            </tr>
          </thead>
          <Fold items={names} columns={4} what="sessions">
            {(wanted) => <MissedRow key={wanted.session} wanted={wanted} />}
          </Fold>
        </table>
      </div>
    </section>
  );
}

interface MissedRowProps {
  readonly wanted: WantedSession;
}

function MissedRow({ wanted }: MissedRowProps) {
  const { session, withinMs, since, lastProven, missed: known } = wanted;
  return (
    <tr>
      <th scope="row">{session}</th>
      <td data-label="now">
        <Chip tone="bad" text={`no whole copy in ${formatElapsed(withinMs)}`} />
      </td>
      <td data-label="last whole copy">
        {lastProven === undefined ? `none since ${shownMoment(since)}` : shownMoment(lastProven)}
      </td>
      <td data-label="known since">{known === undefined ? "–" : shownMoment(known)}</td>
    </tr>
  );
}
