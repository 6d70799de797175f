import { type Client, type Deploy, getDeploy, streamBuildLog, streamDeployLog } from '@gantry/api'
import type { Context } from './context.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { printable } from './output/printable.ts'
import { took } from './output/words.ts'

export interface FollowOptions {
  /** No line of log and no result line. */
  readonly quiet?: boolean
}

/** Shows a deploy's log as it comes and then how it ended. The exit code is 0 when it is live or was superseded. */
export async function followDeploy(context: Context, id: string, options: FollowOptions = {}): Promise<ExitCode> {
  const client = await context.client()
  const startedAt = context.now()
  const tick = options.quiet ? undefined : showElapsed(context, startedAt)
  try {
    await printLog(context, client, id, options)
  } finally {
    clearInterval(tick)
    context.terminal.status('')
  }
  const deploy = await client.call(getDeploy, { params: { id } })
  if (!options.quiet) sayResult(context, deploy, startedAt)
  return deploy.status === 'live' || deploy.status === 'superseded' ? exitCodes.ok : exitCodes.failed
}

function showElapsed(context: Context, startedAt: Date): NodeJS.Timeout {
  return setInterval(() => {
    const seconds = Math.round((context.now().getTime() - startedAt.getTime()) / 1000)
    context.terminal.status(`… ${seconds} s`)
  }, 1000)
}

async function printLog(context: Context, client: Client, id: string, options: FollowOptions): Promise<void> {
  const input = { params: { id }, signal: context.signal }
  for await (const event of client.stream(streamDeployLog, input)) {
    if (event.event === 'log' && !options.quiet) context.terminal.say(printable(event.data.message))
  }
}

/** A build's whole log, to its end. */
export async function printBuildLog(context: Context, client: Client, id: string): Promise<void> {
  for await (const event of client.stream(streamBuildLog, { params: { id }, signal: context.signal })) {
    if (event.event !== 'log') continue
    if (context.isJson) context.terminal.json(event.data)
    else context.terminal.print(printable(event.data.message))
  }
}

function sayResult(context: Context, deploy: Deploy, startedAt: Date): void {
  const { terminal } = context
  const time = took(context.now().getTime() - startedAt.getTime())
  if (deploy.status === 'live') {
    terminal.say(
      `${terminal.style('green', '✓')} ${deploy.release?.name ?? 'The release'} is live after ${time}: ${deploy.url}`,
    )
    return
  }
  const mark = deploy.status === 'superseded' ? terminal.style('yellow', '–') : terminal.style('red', '✗')
  terminal.say(`${mark} The deploy was not made live (${deploy.status.replace('_', ' ')}) after ${time}.`)
  for (const error of deploy.errors) terminal.say(printable(error.message))
}
