import { type Client, getBuild, getDeploy, type LogLine, streamBuildLog } from '@gantry/api'
import type { Context } from './context.ts'
import { printable } from './output/printable.ts'

/** A build's whole log, to its end. */
export async function printBuildLog(context: Context, client: Client, id: string): Promise<void> {
  for await (const event of client.stream(streamBuildLog, { params: { id }, signal: context.signal })) {
    if (event.event !== 'log') continue
    if (context.isJson) context.terminal.json(event.data)
    else context.terminal.print(printable(event.data.message))
  }
}

/** Shows the log of a deploy's build at its place in the log of the deploy. */
export interface BuildFollower {
  /** Called after each line of the deploy's log: begins with the build's when that line is not older than the build. */
  startAfter(line: LogLine): Promise<void>
  /** Resolves when everything that was begun is shown. */
  finish(): Promise<void>
  close(): void
}

export interface FollowedBuild {
  readonly client: Client
  readonly deployId: string
  readonly signal: AbortSignal
  readonly onLine: (line: LogLine) => void
}

export function createBuildFollower({ client, deployId, signal, onLine }: FollowedBuild): BuildFollower {
  const closed = new AbortController()
  const either = AbortSignal.any([signal, closed.signal])
  let shown: Promise<void> | undefined
  const show = async (id: string) => {
    for await (const event of client.stream(streamBuildLog, { params: { id }, signal: either })) {
      if (event.event === 'log') onLine(event.data)
    }
  }
  return {
    async startAfter(line) {
      if (shown) return
      const { build: reference } = await client.call(getDeploy, { params: { id: deployId } })
      if (!reference) return
      const build = await client.call(getBuild, { params: { id: reference.id } })
      if (Date.parse(line.at) < Date.parse(build.created_at)) return
      shown = show(build.id)
      shown.catch(() => undefined) // thrown by `finish`
    },
    finish: async () => await shown,
    close: () => closed.abort(),
  }
}
