import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { get as getByTls, type RequestOptions } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { Promtool, samplesOf } from "../../helpers/promtool.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const promtool = Promtool.find();

function read(name: string): string {
  return readFileSync(`${ROOT}${name}`, "utf8");
}

/** Names of metrics that a text speaks of. */
function namesIn(text: string): readonly string[] {
  return [...new Set(text.match(/\b(?:fanfold|process)_[a-z_]+[a-z]\b/g) ?? [])].sort();
}

/** As Prometheus does it, where tokens are asked for: with one for an observer, and the coordinator's own certificate. */
async function observer(lab: CliLab, stateDir: string): Promise<RequestOptions> {
  const create = [COMMAND, "token", "create", "--role", "observer", "--json", "--state-dir", stateDir];
  const made = lab.run(process.execPath, create);
  expect(await made.exit(), made.shown()).toBe(0);
  const { token } = made.events.at(-1) as unknown as { token: string };
  const ca = readFileSync(join(stateDir, "tls-certificate.pem"));
  return { ca, headers: { authorization: `Bearer ${token}` } };
}

async function scrapeOf(url: string, options: RequestOptions): Promise<string> {
  const request = (url.startsWith("https:") ? getByTls : get)(url, options);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  return await text(response);
}

describe("metrics", { timeout: E2E_MS }, () => {
  test.each(["open", "guarded"] as const)(
    "say what the processes did, in names that are documented: %s",
    async (mode) => {
      await using lab = await CliLab.open(mode);
      const from = lab.path("source");
      makeManyFiles(from, 20);
      const stateDir = lab.path("coordinator");
      const { address } = await lab.coordinator({ args: ["--state-dir", stateDir] });
      const at = `127.0.0.1:${address.replace(/^.*:/, "")}`;
      const options = mode === "guarded" ? await observer(lab, stateDir) : {};
      const scrape = () => scrapeOf(`${mode === "guarded" ? "https" : "http"}://${at}/metrics`, options);
      const before = await scrape();
      expect(samplesOf(before).get('fanfold_sessions_ended_total{result="complete"}')).toBe(0);
      const startMs = Date.now();
      const { bytes, bytesSent } = await copyAndCompare(lab, {
        address,
        from,
        to: [lab.path("a"), lab.path("b")],
        session: "photos",
      });
      const waiting = lab.sink(address, lab.path("a"), ["--session", "nightly", "--name", 'odd "name" \\ of mine']);
      await waiting.event("waiting");
      const after = await scrape();
      const samples = samplesOf(after);
      expect(samples.get('fanfold_sessions_ended_total{result="complete"}')).toBe(1);
      expect(samples.get("fanfold_sent_bytes_total")).toBe(bytesSent);
      expect(samples.get('fanfold_session_last_size_bytes{session="photos"}')).toBe(bytes);
      expect(samples.get('fanfold_session_last_result{session="photos",result="complete"}')).toBe(1);
      expect(samples.get('fanfold_session_last_problems{session="photos"}')).toBe(0);
      expect(samples.get("fanfold_known_sinks")).toBe(2);
      const of = (name: string) => [...samples].filter(([sample]) => sample.startsWith(`fanfold_sink_${name}{`));
      expect(
        of("connected")
          .map(([, value]) => value)
          .sort(),
      ).toEqual([0, 1]);
      const [free = 0, size = 0] = [of("filesystem_avail_bytes"), of("filesystem_size_bytes")].map(
        (each) => each[0]?.[1],
      );
      expect(free).toBeGreaterThan(0);
      expect(size).toBeGreaterThan(0);
      expect(of("info")[0]?.[0]).toMatch(/software="fanfold \d+\./);
      expect(samples.get('fanfold_sessions{state="waiting"}')).toBe(1);
      expect(samples.get('fanfold_session_sinks{state="registered"}')).toBe(1);
      expect(samples.get("fanfold_coordinator_ready")).toBe(1);
      const times = [...samples].filter(([name]) => /_last_(proof|proven|end)_timestamp_seconds/.test(name));
      expect(times).toHaveLength(4);
      for (const [name, seconds] of times) {
        expect(seconds * 1000, name).toBeGreaterThanOrEqual(startMs);
        expect(seconds * 1000, name).toBeLessThanOrEqual(Date.now());
      }
      const documented = read("docs/metrics.md");
      for (const name of namesIn(after.replace(/^# HELP.*$/gm, ""))) expect(documented).toContain(`\`${name}\``);
      expect(promtool?.faults(["check", "metrics"], before) ?? "").toBe("");
      expect(promtool?.faults(["check", "metrics"], after) ?? "").toBe("");
    },
  );

  test("have labels that are escaped, and tell of a broker that is away", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 3);
    const { address } = await lab.coordinator();
    const name = 'odd "name" \\ of mine';
    const sink = lab.sink(address, lab.path("a"), ["--name", name]);
    const source = lab.source(address, from);
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    const told = await (await fetch(`http://${address}/metrics`)).text();
    expect(told).toContain('fanfold_sink_last_proof_timestamp_seconds{sink="odd \\"name\\" \\\\ of mine",key="');
    expect(promtool?.faults(["check", "metrics"], told) ?? "").toBe("");
    const broken = await lab.coordinator({ broker: "nats://127.0.0.1:1" });
    const samples = samplesOf(await (await fetch(`http://${broken.address}/metrics`)).text());
    expect(samples.get("fanfold_coordinator_ready")).toBe(0);
  });

  test("are for observers where tokens are asked for", async () => {
    await using lab = await CliLab.open("guarded");
    const { address } = await lab.coordinator();
    const port = address.replace(/^.*:/, "");
    const unsafe = { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" };
    const script =
      "fetch(process.argv[1]).then((r) => console.log(JSON.stringify({ type: 'status', status: r.status })))";
    const asked = lab.run<{ type: "status"; status: number }>(
      process.execPath,
      ["-e", script, `https://127.0.0.1:${port}/metrics`],
      { env: unsafe },
    );
    expect((await asked.event("status")).status).toBe(401);
  });
});

describe("what comes with the package for Prometheus and Grafana", () => {
  test("speaks only of metrics that there are", () => {
    const documented = new Set([...read("docs/metrics.md").matchAll(/^\| `([a-z_]+)`/gm)].map(([, name = ""]) => name));
    expect(documented.size).toBeGreaterThan(20);
    const spoken = `${read("packaging/prometheus/alerts.yml")}${read("packaging/grafana/fanfold.json")}`;
    expect(namesIn(spoken).filter((name) => !documented.has(name))).toEqual([]);
  });

  test.skipIf(promtool === undefined)("rings as its own tests say", () => {
    const rules = `${ROOT}packaging/prometheus/alerts`;
    expect(promtool?.faults(["check", "rules", `${rules}.yml`])).toBe("");
    expect(promtool?.faults(["test", "rules", `${rules}.test.yml`])).toBe("");
  });
});
