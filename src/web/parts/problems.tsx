import type { Problem, SessionSummary } from "../../protocol/messages/progress.ts";
import { formatCount, plural } from "../../words/format.ts";

interface ProblemsProps {
  readonly summary: SessionSummary;
}

/** What is missing in a copy, or not exact in it. */
export function Problems({ summary }: ProblemsProps) {
  const { problems, problemCount, sinks } = summary;
  const ofSinks = sinks.filter((sink) => sink.problemCount > 0);
  const inexact = sinks.flatMap(({ name, fidelity = [] }) => fidelity.map((each) => ({ name, ...each })));
  if (problemCount === 0 && ofSinks.length === 0 && inexact.length === 0) return null;
  return (
    <section aria-labelledby="problems">
      <h2 id="problems">Problems</h2>
      <div class="card">
        {problemCount > 0 && <ProblemList title="At the source" problems={problems} count={problemCount} />}
        {ofSinks.map((sink) => (
          <ProblemList key={sink.sinkId} title={`At ${sink.name}`} problems={sink.problems} count={sink.problemCount} />
        ))}
        {inexact.length > 0 && (
          <>
            <h3>Not carried exactly</h3>
            <ul class="problems">
              {inexact.map(({ name, what, count, examples }) => (
                <li key={`${name} ${what}`}>
                  {name}: {what}, {plural(count, "entry", "entries")}, such as <code>{examples[0]}</code>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

interface ProblemListProps {
  readonly title: string;
  readonly problems: readonly Problem[];
  readonly count: number;
}

function ProblemList({ title, problems, count }: ProblemListProps) {
  return (
    <>
      <h3>
        {title}: {formatCount(count)}
      </h3>
      <ul class="problems">
        {problems.map(({ path, kind, message }) => (
          <li key={`${path} ${kind}`}>
            <code>{path}</code> {message}
          </li>
        ))}
      </ul>
      {count > problems.length && <p class="hint">{formatCount(count - problems.length)} more are not listed.</p>}
    </>
  );
}
