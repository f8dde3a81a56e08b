import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

type Json = Readonly<Record<string, unknown>>;

/** What came for a request. */
export interface ToldAnswer {
  readonly method: string;
  /** With its query, or without. */
  readonly path: string;
  readonly status: number;
  /** Of the header. */
  readonly type: string;
  readonly body: unknown;
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema?: Json }>> }>
  >;
}

/** Before the names of schemas, in the document and in the validator. */
const IN_DOCUMENT = "#/components/schemas/";
const IN_VALIDATOR = "api:";
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** An OpenAPI document, by which answers are checked: by a validator that has no part in making it. */
export class OpenApi {
  readonly document: Json;
  readonly #schemas: Json;
  readonly #validator = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false });

  constructor(document: Json) {
    this.document = document;
    this.#schemas = (document["components"] as { schemas: Json }).schemas;
    this.#validator.addFormat("date-time", DATE_TIME);
    for (const [name, schema] of Object.entries(this.#schemas))
      this.#validator.addSchema(forValidator(schema), `${IN_VALIDATOR}${name}`);
  }

  /** Fails unless the value is what a schema of the document says, with no field that it does not know. */
  expectValid(name: string, value: unknown): void {
    expect(Object.keys(this.#schemas)).toContain(name);
    this.#expect({ $ref: `${IN_DOCUMENT}${name}` }, value, name);
  }

  /** Fails unless the document has the request, and tells of this answer: its status, its type and all that is in it. */
  expectAnswer({ method, path, status, type, body }: ToldAnswer): void {
    const what = `${method} ${path}: ${status}`;
    const { responses } = this.#operation(method, path, what);
    const { content } = responses[status] ?? responses["default"] ?? {};
    expect(content, `${what} is in the document`).toBeDefined();
    const [plain = ""] = type.split(";");
    expect(Object.keys(content ?? {}), what).toContain(plain);
    const { schema } = content?.[plain] ?? {};
    if (schema !== undefined) this.#expect(schema, body, what);
  }

  /** Every reference of the document, wherever it stands. */
  references(): readonly string[] {
    return [...JSON.stringify(this.document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref = ""]) => ref);
  }

  #operation(method: string, path: string, what: string): Operation {
    const [asked = ""] = path.split("?");
    const paths = this.document["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    const known = Object.keys(paths).find((each) => new RegExp(`^${each.replace(/\{\w+\}/g, "[^/]+")}$`).test(asked));
    const operation = paths[known ?? ""]?.[method.toLowerCase()];
    if (operation === undefined) throw new Error(`${what}: the document does not have it`);
    return operation;
  }

  #expect(schema: Json, value: unknown, what: string): void {
    const validate = this.#validator.compile(forValidator(schema));
    validate(value);
    expect(validate.errors ?? [], `${what}: ${JSON.stringify(value)}`).toEqual([]);
  }
}

/** The same, with objects that take no field but those they name, so that what is not in the document is found. */
function forValidator(schema: unknown): Json {
  return rewritten(schema) as Json;
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (key === "$ref") return [key, String(each).replace(IN_DOCUMENT, IN_VALIDATOR)];
      return [key, rewritten(each)];
    }),
  );
  const isOpen = "properties" in copy && "type" in copy && !("additionalProperties" in copy);
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}
