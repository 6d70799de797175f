/**
 * Parts of pages that come from code. Each stands in its page between `<!-- generated: NAME -->` and
 * `<!-- end of generated: NAME -->`; `generate-docs.ts` fills them in, and its test compares.
 */
import { buildErrors } from '../packages/api/src/errors/build-errors.ts'
import type { CatalogueEntry } from '../packages/api/src/errors/catalogue-entry.ts'
import { deliveryErrors } from '../packages/api/src/errors/delivery-errors.ts'
import { sourceErrors } from '../packages/api/src/errors/source-errors.ts'
import { defaultBuildLimits } from '../packages/server/src/builds/builds-deps.ts'
import { defaultRetention } from '../packages/server/src/builds/retention.ts'
import { defaultDeliveryLimits } from '../packages/server/src/delivery/delivery-deps.ts'
import { deployStatuses, deployTransitions, isOpen } from '../packages/server/src/delivery/deploy-state.ts'
import { maxStreamBytesOf } from '../packages/server/src/logs/log-line.ts'
import { defaultLimits } from '../packages/server/src/router/limits.ts'
import { defaultPolicy } from '../packages/server/src/running/plan-steps.ts'
import { defaultSourceLimits } from '../packages/server/src/source/source.ts'
import { ports, privatePorts, rooms, roomWall, type Wall, walls } from './walls.ts'

export const blocks: Readonly<Record<string, () => string>> = {
  walls: wallsTable,
  'deploy-diagram': deployDiagram,
  'deploy-transitions': transitionsTable,
  limits: limitsTable,
  'source-errors': () => errorsTable(sourceErrors),
  'build-errors': () => errorsTable(buildErrors),
  'delivery-errors': () => errorsTable(deliveryErrors),
}

const begin = (name: string) => `<!-- generated: ${name} -->`
const end = (name: string) => `<!-- end of generated: ${name} -->`

/** Names of the blocks that a page has. Throws for one that nothing makes or that does not end. */
export function blocksIn(page: string): string[] {
  const names = [...page.matchAll(/^<!-- generated: ([\w-]+) -->$/gm)].map((match) => match[1] ?? '')
  for (const name of names) {
    if (!blocks[name]) throw new Error(`nothing generates the block ${name}`)
    if (!page.includes(`\n${end(name)}`)) throw new Error(`the block ${name} does not end`)
  }
  return names
}

export function fillBlocks(page: string): string {
  return blocksIn(page).reduce((text, name) => {
    const [from, to] = [text.indexOf(begin(name)) + begin(name).length, text.indexOf(end(name))]
    return `${text.slice(0, from)}\n${blocks[name]?.()}\n${text.slice(to)}`
  }, page)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(' ')
}

function wallsTable(): string {
  const packages = (wall: Omit<Wall, 'part'>) => (wall.packages.includes('*') ? 'any' : code(wall.packages) || 'none')
  const row = (part: string, wall: Omit<Wall, 'part'>, more = '') => [
    part,
    `${code(wall.mayImport)}${more}`,
    wall.ports ? 'yes' : 'no',
    packages(wall),
  ]
  return [
    table(
      ['part', 'may import, besides itself', 'ports', 'npm packages'],
      [
        ...walls.map((wall) => row(`\`${wall.part}\``, wall)),
        row('a room', roomWall, ' and the doors of earlier rooms'),
        ['`cli`', '`@gantry/api`', 'no', 'any but `@gantry/server`'],
      ],
    ),
    `Rooms, in order: ${code(rooms)}.`,
    `Ports: ${code(ports)}. ${Object.entries(privatePorts)
      .map(([part, files]) => `\`${part}\` alone: ${code(files)}.`)
      .join(' ')}`,
  ].join('\n\n')
}

function deployDiagram(): string {
  const arrows = deployStatuses.flatMap((from) => {
    const targets = new Map<string, string[]>()
    for (const [event, to] of Object.entries(deployTransitions[from])) {
      if (['fail', 'cancel', 'supersede'].includes(event)) continue
      targets.set(to, [...(targets.get(to) ?? []), event])
    }
    return [...targets].map(([to, events]) => `  ${from} --> ${to}: ${events.join(', ')}`)
  })
  const endings = deployStatuses.filter((status) => !isOpen(status)).map((status) => `  ${status} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> queued', ...arrows, ...endings, '```'].join('\n')
}

function transitionsTable(): string {
  const rows = deployStatuses.filter(isOpen).map((status) => {
    const steps = Object.entries(deployTransitions[status]).map(([event, to]) => `${event} → \`${to}\``)
    return [`\`${status}\``, steps.join(', ')]
  })
  const ends = deployStatuses.filter((status) => !isOpen(status))
  return `${table(['status', 'event → status'], rows)}\n\nEnds, after which nothing happens any more: ${code(ends)}.`
}

function limitsTable(): string {
  const build = defaultBuildLimits
  const source = defaultSourceLimits
  return table(
    ['what', 'limit'],
    [
      ['files and folders of a tree', source.entries.toLocaleString('en')],
      ['files of an upload, together', size(source.uploadBytes)],
      ['files of a tree that is built, together', size(source.exportBytes)],
      ['builds at once, on the whole installation', String(defaultDeliveryLimits.builds)],
      ['time of a build', time(build.timeMs)],
      ['output of one step of a build', size(build.outputBytes)],
      ['a folder that a build writes', size(build.diskBytes)],
      ['processes of a build', build.processes.toLocaleString('en')],
      ['the log that is kept of a build', size(maxStreamBytesOf('build/'))],
      ['time of the release phase', time(defaultDeliveryLimits.releasePhaseMs)],
      ['output of the release phase', size(defaultDeliveryLimits.releasePhaseBytes)],
      ['time until a new instance is healthy', time(defaultPolicy.bootLimitMs)],
      ['time that an old instance drains', time(defaultPolicy.drainMs)],
      ['releases that drain beside each other', String(defaultPolicy.drainingGenerations)],
      [
        'pause before a crashed instance starts again',
        `${time(defaultPolicy.firstBackoffMs)}, doubling to ${time(defaultPolicy.maxBackoffMs)}`,
      ],
      ['head of a request or response', size(defaultLimits.maxHeadBytes)],
      ['fields of a head', String(defaultLimits.maxFields)],
      [
        'time until an app begins its answer',
        `${time(defaultLimits.responseHeadMs)} \`GANTRY_ROUTER_RESPONSE_TIMEOUT\``,
      ],
      [
        'time without progress of a body, WebSocket or event stream',
        `${time(defaultLimits.bodyIdleMs)} \`GANTRY_ROUTER_BODY_IDLE_TIMEOUT\``,
      ],
      ['time that a held request waits', `${time(defaultLimits.holdMs)} \`GANTRY_ROUTER_HOLD\``],
      ['requests that are held for an app', defaultLimits.maxHeld.toLocaleString('en')],
      ['connections of clients to the router', defaultLimits.maxConnections.toLocaleString('en')],
      ['releases that are kept of an environment', `${defaultRetention.releases} \`GANTRY_KEEP_RELEASES\``],
      ['failed builds that are kept of an app', `${defaultRetention.failedBuilds} \`GANTRY_KEEP_FAILED_BUILDS\``],
      ['output that is kept of an app', `${size(maxStreamBytesOf('app/'))} \`GANTRY_MAX_LOG_MEGABYTES\``],
    ],
  )
}

function errorsTable(entries: Readonly<Record<string, CatalogueEntry>>): string {
  return table(
    ['code', 'what happened, and what to do'],
    Object.entries(entries).map(([name, entry]) => [`\`${name}\``, `**${entry.title}.** ${entry.description}`]),
  )
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  const power = Math.floor(Math.log2(bytes) / 10)
  return `${bytes / 1024 ** power} ${units[power]}`
}

function time(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`
}
