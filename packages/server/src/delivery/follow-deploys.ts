import { systemScope } from '../access/index.ts'
import { environmentLabel, environmentUrl } from '../apps/index.ts'
import type { DeployId } from '../kernel/ids.ts'
import { buildStream, type LogLine } from '../logs/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { type DeployRow, deployStream } from './deploy.ts'
import { type DeployStatus, isOpen } from './deploy-state.ts'
import { selectDeployForWork } from './deploy-store.ts'
import { selectShownDeploy } from './shown-deploy-store.ts'

export type FollowedDeploy =
  | { readonly kind: 'line'; readonly text: string }
  | {
      readonly kind: 'end'
      readonly deployId: DeployId
      readonly status: DeployStatus
      /** Where the app answers, or why the release did not go live. */
      readonly message: string
    }

/** Lines of builds come without a NOTIFY. */
const pollMs = 100
const linesAtOnce = 500

/**
 * Everything that deploys and their builds say, in the order in which it was written, and how each of them ended. The
 * caller has started these deploys. Ends without an error when the signal aborts.
 */
export async function* followDeploys(
  room: DeliveryRoom,
  ids: readonly DeployId[],
  signal: AbortSignal,
): AsyncGenerator<FollowedDeploy> {
  const watch = room.watch.open(ids)
  const wake = () => watch.wake()
  signal.addEventListener('abort', wake, { once: true })
  const positions = new Map<string, string>()
  const following = new Set(ids)
  try {
    while (following.size > 0 && !signal.aborted) {
      const { lines, ended } = await readNews(room, following, positions)
      for (const line of lines) yield { kind: 'line', text: textOf(line) }
      for (const deploy of ended) {
        following.delete(deploy.id)
        yield { kind: 'end', deployId: deploy.id, status: deploy.status, message: await endingOf(room, deploy) }
      }
      if (following.size > 0 && lines.length === 0) await watch.next(pollMs)
    }
  } finally {
    signal.removeEventListener('abort', wake)
    watch.close()
  }
}

/** The row first: what was written before a deploy ended is then read before its end is told. */
async function readNews(
  room: DeliveryRoom,
  following: ReadonlySet<DeployId>,
  positions: Map<string, string>,
): Promise<{ readonly lines: readonly LogLine[]; readonly ended: readonly DeployRow[] }> {
  const rows: DeployRow[] = []
  for (const id of following) {
    const deploy = await selectDeployForWork(room.db, id)
    if (deploy) rows.push(deploy)
  }
  if (rows.some((deploy) => !isOpen(deploy.status))) await room.logs.flush()
  const lines: LogLine[] = []
  let isAll = true
  for (const stream of rows.flatMap(streamsOf)) {
    const news = await readStream(room, stream, positions)
    lines.push(...news.lines)
    isAll &&= news.isAll
  }
  lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return { lines, ended: isAll ? rows.filter((deploy) => !isOpen(deploy.status)) : [] }
}

function streamsOf(deploy: DeployRow): string[] {
  return [...(deploy.buildId ? [buildStream(deploy.appId, deploy.buildId)] : []), deployStream(deploy)]
}

/** What the stream has behind the last line read. */
async function readStream(room: DeliveryRoom, stream: string, positions: Map<string, string>) {
  const last = positions.get(stream)
  const { lines, next } = await room.logs.page(stream, { start: last, limit: linesAtOnce })
  const news = lines[0]?.id === last ? lines.slice(1) : lines
  const end = news.at(-1)
  if (end) positions.set(stream, end.id)
  return { lines: news, isAll: next === undefined }
}

async function endingOf(room: DeliveryRoom, deploy: DeployRow): Promise<string> {
  if (deploy.status !== 'live') return deploy.errorMessage ?? ''
  const shown = await selectShownDeploy(room.db, systemScope(deploy.teamId), deploy.id)
  return shown ? environmentUrl(environmentLabel(shown.appName, shown.environmentName), room.site) : ''
}

/** Steps of the deploy stand out from what builds and the release phase write. */
function textOf(line: LogLine): string {
  return line.source === 'deploy' ? `-----> ${line.message}` : line.message
}
