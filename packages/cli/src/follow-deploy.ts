import { type Deploy, getDeploy, streamDeployLog } from '@gantry/api'
import { createBuildFollower } from './build-log.ts'
import type { Context } from './context.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { printable } from './output/printable.ts'
import { took } from './output/words.ts'

export interface FollowOptions {
  /** No line of log and no result line. */
  readonly quiet?: boolean
}

/**
 * Shows a deploy as it goes on, with the log of its build, and then how it ended; with `--json` its events, a line each. The
 * exit code is 0 when it is live or was superseded.
 */
export async function followDeploy(context: Context, id: string, options: FollowOptions = {}): Promise<ExitCode> {
  const isShown = !options.quiet && !context.isJson
  const said = new Set<string>()
  if (isShown) await sayLog(context, id, said)
  else await passLog(context, id, options)
  const deploy = await (await context.client()).call(getDeploy, { params: { id } })
  if (isShown) sayResult(context, deploy, said)
  return deploy.status === 'live' || deploy.status === 'superseded' ? exitCodes.ok : exitCodes.failed
}

async function passLog(context: Context, id: string, { quiet }: FollowOptions): Promise<void> {
  const client = await context.client()
  const input = { params: { id }, signal: context.signal }
  for await (const event of client.stream(streamDeployLog, input)) if (!quiet) context.terminal.json(event)
}

/** Keeps in `said` what the deploy said. */
async function sayLog(context: Context, id: string, said: Set<string>): Promise<void> {
  const client = await context.client()
  const tick = showElapsed(context)
  let lastBuilt = ''
  let isRepeated = false
  const build = createBuildFollower({
    client,
    deployId: id,
    signal: context.signal,
    onLine: (line) => {
      lastBuilt = line.message
      context.terminal.say(printable(line.message))
    },
  })
  try {
    for await (const event of client.stream(streamDeployLog, { params: { id }, signal: context.signal })) {
      if (event.event !== 'log') continue
      const { message } = event.data
      said.add(message)
      await build.finish() // what a deploy says after its build has begun, it says when that has ended
      // A failed build and the deploy that fails by it say the same, and the last lines have just been shown.
      if (!isMore(message)) isRepeated = lastBuilt.startsWith(heading) && `${heading}${message}`.startsWith(lastBuilt)
      if (!isRepeated) sayLine(context, message)
      await build.startAfter(event.data)
    }
    await build.finish()
  } finally {
    build.close()
    clearInterval(tick)
    context.terminal.status('')
  }
}

const heading = '-----> '

/** A further line of what was said. */
function isMore(message: string): boolean {
  return message.startsWith('  ')
}

function sayLine({ terminal }: Context, message: string): void {
  const start = isMore(message) ? ' '.repeat(heading.length) : `${terminal.style('cyan', '----->')} `
  terminal.say(start + printable(message))
}

function showElapsed(context: Context): NodeJS.Timeout {
  const startedAt = context.now().getTime()
  return setInterval(() => {
    context.terminal.status(`… ${Math.round((context.now().getTime() - startedAt) / 1000)} s`)
  }, 1000)
}

function sayResult({ terminal }: Context, deploy: Deploy, said: ReadonlySet<string>): void {
  const time = took(Date.parse(deploy.finished_at ?? deploy.updated_at) - Date.parse(deploy.created_at))
  if (deploy.status === 'live') {
    const release = deploy.release?.name ?? 'The release'
    terminal.say(
      `${terminal.style('green', '✓')} ${release} is live after ${time}: ${terminal.style('bold', deploy.url)}`,
    )
    return
  }
  const mark = deploy.status === 'superseded' ? terminal.style('yellow', '–') : terminal.style('red', '✗')
  terminal.say(
    `${mark} The deploy was not made live (${deploy.status.replace('_', ' ')}) after ${time}.${codesOf(deploy)}`,
  )
  const news = deploy.errors.flatMap(({ message }) => message.split('\n')).filter((line) => !said.has(line))
  for (const line of news) terminal.say(printable(line))
}

/** By which documentation and search find an error. */
function codesOf({ errors }: Deploy): string {
  return errors.map(({ code }) => ` [${code}]`).join('')
}
