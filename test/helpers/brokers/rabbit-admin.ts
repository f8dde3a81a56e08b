/** Asks the management interface of a RabbitMQ, as its user `guest`. */
export async function askRabbit<Answer = unknown>(
  { adminUrl }: { readonly adminUrl: string },
  path: string,
  { method = "GET", body }: { readonly method?: "GET" | "PUT" | "DELETE"; readonly body?: unknown } = {},
): Promise<Answer> {
  const url = `${adminUrl}/api/${path}`;
  const headers = { authorization: `Basic ${btoa("guest:guest")}`, "content-type": "application/json" };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}
