import { once } from "node:events";
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOperatorPass } from "../../src/coordinator/access/local-operator.ts";
import { formatToken, parseToken } from "../../src/protocol/access/token.ts";
import { type GuardedCoordinator, startGuarded } from "../e2e/access/guarded.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { Intruder } from "./intruder.ts";

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const READS = ["GET /api/v1/sessions", "GET /api/v1/tokens", "GET /api/v1/members", "POST /api/v1/login"];
const CHANGES = ["POST /api/v1/tokens", "GET /api/v1/tokens/aaaaaaaa", "DELETE /api/v1/tokens/aaaaaaaa"].concat(
  ["DELETE", "PATCH"].map((method) => `${method} /api/v1/members/${"a".repeat(64)}`),
);

describe("at the API of a coordinator that asks for tokens", () => {
  let lab: CliLab;
  let coordinator: GuardedCoordinator;
  let intruder: Intruder;
  let admin: string;

  beforeAll(async () => {
    lab = await CliLab.open("guarded");
    coordinator = await startGuarded(lab);
    intruder = await Intruder.at(coordinator);
    admin = readOperatorPass(coordinator.stateDir).token;
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  /** `sends`: the rest of the body is never sent. */
  async function ask(line: string, headers: Headers = {}, body = "", sends = body.length): Promise<Answer> {
    const [method = "", path = ""] = line.split(" ");
    const sent = request({ ...intruder.reach(), agent: false, method, path, headers });
    if (sends < body.length) sent.setHeader("content-length", body.length).write(body.slice(0, sends));
    else sent.end(body === "" ? undefined : body);
    const [response] = await once(sent, "response");
    // It may be cut by now.
    sent.on("error", () => undefined);
    let text = "";
    for await (const piece of response.setEncoding("utf8")) text += piece;
    return { status: response.statusCode, headers: response.headers, text };
  }

  const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
  const codesOf = async (lines: readonly string[], headers: Headers): Promise<unknown[]> => {
    const answers = await Promise.all(lines.map((line) => ask(line, headers)));
    return [...new Set(answers.map(({ text, status }) => (text.startsWith("{") ? JSON.parse(text).code : status)))];
  };
  const tokenFor = async (role: string): Promise<string> => {
    const headers = { ...bearer(admin), "content-type": "application/json" };
    return JSON.parse((await ask("POST /api/v1/tokens", headers, JSON.stringify({ role }))).text).token;
  };

  test("nothing is read or changed without a token, or with one of a member, or one that was guessed", async () => {
    const all = [...READS, ...CHANGES];
    expect(await codesOf(all, {})).toEqual(["token-missing"]);
    for (const role of ["source", "sink"] as const)
      expect(await codesOf(all, bearer(await coordinator.token(role)))).toEqual(["token-role"]);
    const guessed = formatToken({ ...parseToken(admin), secret: "a".repeat(26) });
    expect(await codesOf(all, bearer(guessed))).toEqual(["token-unknown"]);
    const promoted = formatToken({ ...parseToken(await coordinator.token("sink")), role: "admin" });
    expect(await codesOf(all, bearer(promoted))).toEqual(["token-unknown"]);
    for (const authorization of [admin, `Basic ${admin}`, `Bearer  ${admin}`, "Bearer", `Bearer ${admin} x`])
      expect(await codesOf(all, { authorization })).toEqual(["token-missing"]);
  });

  test("an observer changes nothing, and sees no secret", async () => {
    const headers = bearer(await tokenFor("observer"));
    expect(await codesOf(CHANGES, headers)).toEqual(["token-role"]);
    const { secret } = parseToken(await coordinator.token("sink"));
    for (const line of READS) {
      const { status, text } = await ask(line, headers);
      expect([status, text.includes(secret)], line).toEqual([200, false]);
    }
  });

  test("no page of another site gets anything, whatever it sends along", async () => {
    const login = await ask("POST /api/v1/login", bearer(admin));
    const [cookie = ""] = String(login.headers["set-cookie"]).split(";");
    expect(cookie).toMatch(/^__Host-fanfold-/);
    const own = `https://127.0.0.1:${coordinator.port}`;
    const order = { "content-type": "application/json" };
    const foreign: readonly Headers[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `${own}.evil.example` },
      { origin: `https://127.0.0.1:${coordinator.port + 1}` },
      { host: "evil.example", origin: "https://evil.example" },
      { host: "evil.example", "sec-fetch-site": "same-origin" },
      { host: "evil.example" },
    ];
    for (const headers of foreign)
      for (const line of [...READS, ...CHANGES]) {
        const { status, text } = await ask(
          line,
          { ...headers, ...order, cookie },
          /^(POST|PATCH)/.test(line) ? '{"role":"admin"}' : "",
        );
        expect([status, text.startsWith("{")], `${line} ${JSON.stringify(headers)}`).toEqual([403, false]);
      }
    for (const method of ["OPTIONS", "TRACE", "GET"]) {
      const { headers } = await ask(`${method} /api/v1/tokens`, {
        ...bearer(admin),
        "access-control-request-method": "POST",
      });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    const without = await ask("POST /api/v1/tokens", { ...order, cookie }, '{"role":"admin"}');
    expect(JSON.parse(without.text)).toMatchObject({ code: "refused" });
    const crossSite = { ...order, cookie, "sec-fetch-site": "cross-site" };
    expect(JSON.parse((await ask("POST /api/v1/tokens", crossSite, '{"role":"admin"}')).text)).toMatchObject({
      code: "refused",
    });
    const tokens = async () => JSON.parse((await ask("GET /api/v1/tokens", { cookie })).text).tokens;
    expect((await tokens()).filter(({ role }: { role: string }) => role === "admin")).toEqual([]);
    // The page of the coordinator itself may.
    expect((await ask("POST /api/v1/tokens", { ...order, cookie, origin: own }, '{"role":"observer"}')).status).toBe(
      201,
    );
  });

  test("what is too large is not read to its end, with a token and without one", async () => {
    const large = "a".repeat(8 * 1024 * 1024);
    const json = { "content-type": "application/json" };
    expect((await ask("POST /api/v1/tokens", { ...bearer(admin), ...json }, large, 17_000)).status).toBe(413);
    expect((await ask("POST /api/v1/tokens", json, large, 1)).status).toBe(401);
    await expect(ask("GET /api/v1/tokens", { ...bearer(admin), x: "a".repeat(20_000) })).rejects.toThrow("hang up");
    expect((await ask("GET /livez")).status).toBe(200);
  });
});
