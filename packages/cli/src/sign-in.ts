import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createClient, getPlatform } from '@gantry/api'
import { type Context, loginFile } from './context.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** The address of a platform's API, without a path. */
export function parseAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url.origin
  throw new CommandError(exitCodes.usage, `${text} is not an address such as https://gantry.example.com.`)
}

/** A secret from standard input, or typed where nobody sees it. */
export async function readSecret(context: Context, message: string): Promise<string> {
  if (!context.isInputTerminal) return (await context.readInput()).trim()
  const { password } = await import('@clack/prompts')
  const typed = await password({ message })
  return typeof typed === 'string' ? typed.trim() : ''
}

/** Keeps an address and a token that the platform there accepts, in a file that only its owner can read. */
export async function signIn(context: Context, url: string, token: string): Promise<void> {
  const platform = await createClient({ baseUrl: url, token }).call(getPlatform)
  const path = loginFile(context.env)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify({ url, token })}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
  if (context.isJson) context.terminal.json({ url, version: platform.version })
  else context.terminal.say(`Signed in to Gantry ${platform.version} at ${url}. Kept in ${path}.`)
}
