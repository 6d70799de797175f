import { systemScope } from '../access/index.ts'
import { environmentLabel, environmentUrl } from '../apps/index.ts'
import { headline } from '../kernel/headline.ts'
import type { DeployId } from '../kernel/ids.ts'
import { buildStream } from '../logs/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { type DeployRow, streamOf } from './deploy.ts'
import { type DeployStatus, isOpen } from './deploy-state.ts'
import { selectDeployForWork } from './deploy-store.ts'
import { selectShownDeploy, selectSteps } from './shown-deploy-store.ts'

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
const heading = '-----> '

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
  const progress: Progress = { following: new Set(ids), lines: new Map(), steps: new Map() }
  let lastText = ''
  try {
    while (progress.following.size > 0 && !signal.aborted) {
      const { news, ended } = await readNews(room, progress)
      for (const { text } of news) {
        // a failed build and the deploy that fails by it say the same, and the last lines have just been shown
        if (headline(text) !== lastText || !text.startsWith(heading)) yield { kind: 'line', text }
        lastText = text
      }
      for (const deploy of ended) {
        progress.following.delete(deploy.id)
        yield { kind: 'end', deployId: deploy.id, status: deploy.status, message: await endingOf(room, deploy) }
      }
      if (progress.following.size > 0 && news.length === 0) await watch.next(pollMs)
    }
  } finally {
    signal.removeEventListener('abort', wake)
    watch.close()
  }
}

/** How far the caller has been told: the last line of each stream, the last step of each deploy. */
interface Progress {
  readonly following: Set<DeployId>
  readonly lines: Map<string, string>
  readonly steps: Map<DeployId, number>
}

interface News {
  readonly at: string
  readonly text: string
}

/** The rows first: what was written before a deploy ended is then read before its end is told. */
async function readNews(
  room: DeliveryRoom,
  progress: Progress,
): Promise<{ readonly news: readonly News[]; readonly ended: readonly DeployRow[] }> {
  const rows: DeployRow[] = []
  for (const id of progress.following) {
    const deploy = await selectDeployForWork(room.db, id)
    if (deploy) rows.push(deploy)
  }
  if (rows.some((deploy) => !isOpen(deploy.status))) await room.logs.flush()
  const news: News[] = []
  let isAll = true
  for (const deploy of rows) {
    news.push(...(await readSteps(room, deploy, progress)))
    for (const stream of streamsOf(deploy)) {
      const page = await readStream(room, stream, progress)
      news.push(...page.news)
      isAll &&= page.isAll
    }
  }
  news.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return { news, ended: isAll ? rows.filter((deploy) => !isOpen(deploy.status)) : [] }
}

/** Steps come from the history and not from the log, which has them a moment after their commit. */
async function readSteps(room: DeliveryRoom, deploy: DeployRow, progress: Progress): Promise<readonly News[]> {
  const after = progress.steps.get(deploy.id) ?? 0
  const scope = systemScope(deploy.teamId)
  const steps = await selectSteps(room.db, scope, deploy.id, { after, limit: linesAtOnce })
  const last = steps.at(-1)
  if (last) progress.steps.set(deploy.id, last.id)
  return steps.map((step) => ({ at: step.at.toISOString(), text: heading + step.message }))
}

function streamsOf(deploy: DeployRow): string[] {
  return [...(deploy.buildId ? [buildStream(deploy.appId, deploy.buildId)] : []), streamOf(deploy)]
}

/** What the stream has behind the last line read. */
async function readStream(
  room: DeliveryRoom,
  stream: string,
  progress: Progress,
): Promise<{ readonly news: readonly News[]; readonly isAll: boolean }> {
  const last = progress.lines.get(stream)
  const { lines, next } = await room.logs.page(stream, { start: last, limit: linesAtOnce })
  const fresh = lines[0]?.id === last ? lines.slice(1) : lines
  const end = fresh.at(-1)
  if (end) progress.lines.set(stream, end.id)
  const news = fresh.filter((line) => line.source !== 'deploy').map((line) => ({ at: line.at, text: line.message }))
  return { news, isAll: next === undefined }
}

async function endingOf(room: DeliveryRoom, deploy: DeployRow): Promise<string> {
  if (deploy.status !== 'live') return deploy.errorMessage ?? ''
  const shown = await selectShownDeploy(room.db, systemScope(deploy.teamId), deploy.id)
  return shown ? environmentUrl(environmentLabel(shown.appName, shown.environmentName), room.site) : ''
}
