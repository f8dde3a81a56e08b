import { movedBytes, type RatePoint } from "../../protocol/api/trail.ts";
import { formatClock, formatRate } from "../../words/format.ts";

const WIDTH = 300;
const HEIGHT = 64;
const TOP = 4;

interface ChartProps {
  readonly points: readonly RatePoint[];
  /** What is shown as the rate now; undefined where nothing is known of now. */
  readonly perSecond: number | undefined;
}

/** The rate from the start of a copy on. What it shows is said beside it. */
export function Chart({ points, perSecond }: ChartProps) {
  const top = Math.max(1, ...points.map(({ bytesPerSecond }) => bytesPerSecond));
  const span = Math.max(1, points.at(-1)?.untilMs ?? 0);
  const at = (atMs: number, rate: number): string => {
    const x = (atMs / span) * WIDTH;
    const y = HEIGHT - (rate / top) * (HEIGHT - TOP);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const line = points.map(({ untilMs, bytesPerSecond }) => at(untilMs, bytesPerSecond)).join(" L");
  const [first] = points;
  const begin = first === undefined ? "" : at(0, first.bytesPerSecond);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <line class="grid" x1="0" x2={WIDTH} y1={TOP} y2={TOP} />
        <line class="grid" x1="0" x2={WIDTH} y1={(HEIGHT + TOP) / 2} y2={(HEIGHT + TOP) / 2} />
        {points.length > 1 && (
          <>
            <path class="area" d={`M0 ${HEIGHT} L${begin} L${line} L${WIDTH} ${HEIGHT} Z`} />
            <path class="line" d={`M${begin} L${line}`} />
          </>
        )}
      </svg>
      <figcaption>
        {perSecond !== undefined && <b>{formatRate(perSecond)}</b>}
        {points.length > 1 && (
          <span>
            mean {formatRate((movedBytes(points) * 1000) / span)}, top {formatRate(top)} in {formatClock(span)}
          </span>
        )}
      </figcaption>
    </figure>
  );
}
