import { type Client, type LogLine, listEnvironmentLogs, streamEnvironmentLog } from '@gantry/api'
import { flag, type Input, textOption } from '../../command.ts'
import type { Context } from '../../context.ts'
import { createLinePrinter } from '../../output/log-lines.ts'
import { parseCount } from '../../parse-count.ts'
import { parseSince } from '../../parse-time.ts'

/** What the API counts from the end by itself; for more, everything is read. */
const maxTail = 10_000
const maxPage = 1000

interface Selection {
  readonly since: string | undefined
  readonly source: string | undefined
  /** How many of the last lines; `undefined` is all. */
  readonly count: number | undefined
}

export async function run(context: Context, input: Input): Promise<void> {
  const selection = parseSelection(context, input)
  const client = await context.client()
  const id = await context.environment()
  if (flag(input, 'follow')) return await follow(context, client, id, selection)
  const print = createLinePrinter(context)
  for await (const line of lines(client, id, selection)) print(line)
}

function parseSelection(context: Context, input: Input): Selection {
  const [since, count] = [textOption(input, 'since'), textOption(input, 'lines')]
  return {
    since: since === undefined ? undefined : parseSince(since, context.now()),
    source: textOption(input, 'process'),
    count:
      count === undefined ? (since === undefined ? 100 : undefined) : parseCount(count, { min: 0, max: 1_000_000 }),
  }
}

async function follow(
  context: Context,
  client: Client,
  id: string,
  { since, source, count }: Selection,
): Promise<void> {
  const print = createLinePrinter(context)
  const tail = count === undefined ? undefined : Math.min(count, maxTail)
  const input = { params: { id }, query: { since, source, tail }, signal: context.signal }
  for await (const event of client.stream(streamEnvironmentLog, input)) if (event.event === 'log') print(event.data)
}

async function* lines(client: Client, id: string, { since, source, count }: Selection): AsyncGenerator<LogLine> {
  if (count === 0) return
  const query = { since, source, limit: Math.min(count ?? maxPage, maxPage) }
  if (count !== undefined && count > maxTail) {
    const all: LogLine[] = []
    for await (const line of client.items(listEnvironmentLogs, { params: { id }, query })) {
      all.push(line)
      if (all.length >= 2 * count) all.splice(0, all.length - count)
    }
    return yield* all.slice(-count)
  }
  // lines that are written meanwhile make no more of them
  let left = count ?? Number.POSITIVE_INFINITY
  for await (const line of client.items(listEnvironmentLogs, { params: { id }, query: { ...query, tail: count } })) {
    yield line
    if (--left === 0) return
  }
}
