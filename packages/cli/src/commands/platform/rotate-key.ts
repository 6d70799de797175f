import { setTimeout as wait } from 'node:timers/promises'
import { getPlatform, type Platform, rotatePlatformKey } from '@gantry/api'
import { flag, type Input } from '../../command.ts'
import type { Context } from '../../context.ts'
import { CommandError, type ExitCode, exitCodes } from '../../exit-codes.ts'

const pollMs = 250

export async function run(context: Context, input: Input): Promise<ExitCode> {
  const client = await context.client()
  let platform = await client.call(rotatePlatformKey)
  while (!flag(input, 'detach') && platform.master_key.status === 'rotating') {
    context.terminal.status(`The master key ${sentenceOf(platform)}`)
    refuseStuck(platform)
    await wait(pollMs, undefined, { signal: context.signal })
    platform = await client.call(getPlatform)
  }
  if (context.isJson) context.terminal.json(platform)
  else say(context, platform)
  return exitCodes.ok
}

function say({ terminal }: Context, { master_key: key }: Platform): void {
  if (key.status === 'rotating') {
    terminal.say('The master key is being rotated. Look: gantry status')
    return
  }
  terminal.say(`The master key is ${key.id} now, and the old one is gone.`)
  terminal.say(`Back its file up: keys/master-${key.id}.key below GANTRY_HOME.`)
}

/** What it says of itself, in `gantry status` as well. */
function checkOf({ checks }: Platform): Platform['checks'][number] | undefined {
  return checks.find(({ name }) => name === 'master_key')
}

function sentenceOf(platform: Platform): string {
  return checkOf(platform)?.message ?? 'is being rotated'
}

function refuseStuck(platform: Platform): void {
  if (checkOf(platform)?.status !== 'warning') return
  throw new CommandError(exitCodes.failed, `The rotation cannot end: the master key is ${sentenceOf(platform)}.`)
}
