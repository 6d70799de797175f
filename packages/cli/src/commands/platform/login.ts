import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createClient, getPlatform } from '@gantry/api'
import type { Input } from '../../command.ts'
import { type Context, loginFile } from '../../context.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'

/** Keeps an address and a token that the platform there accepts. */
export async function run(context: Context, input: Input): Promise<void> {
  const url = parseUrl(input.arguments[0] ?? '')
  const token = (await readToken(context)).trim()
  if (token === '')
    throw new CommandError(exitCodes.usage, 'No token was given.', 'Make one there: gantry tokens create NAME')
  const platform = await createClient({ baseUrl: url, token }).call(getPlatform)
  const path = loginFile(context.env)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify({ url, token })}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
  if (context.isJson) context.terminal.json({ url, version: platform.version })
  else context.terminal.say(`Signed in to Gantry ${platform.version} at ${url}. Kept in ${path}.`)
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url.origin
  throw new CommandError(exitCodes.usage, `${text} is not an address such as https://gantry.example.com.`)
}

async function readToken(context: Context): Promise<string> {
  if (!context.isInputTerminal) return await context.readInput()
  const { password } = await import('@clack/prompts')
  const typed = await password({ message: 'Token' })
  return typeof typed === 'string' ? typed : ''
}
