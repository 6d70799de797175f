import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { type Platform, startPlatform } from './support/platform.ts'

const executablePath = '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `needs ${executablePath} (Debian package chromium)`

let platform: Platform
let browser: Browser
let profile: string

before(async () => {
  if (skip) return
  platform = await startPlatform()
  profile = await mkdtemp(join(tmpdir(), 'gantry-test-'))
  const isRoot = process.getuid?.() === 0
  const quiet = [
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  browser = await chromium.launch({
    executablePath,
    args: [...quiet, ...(isRoot ? ['--no-sandbox'] : [])],
    env: { HOME: profile, PATH: process.env.PATH ?? '' },
  })
})
after(async () => {
  if (skip) return
  await browser.close()
  await platform.destroy()
  await rm(profile, { recursive: true, force: true })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the API reference shows every operation and loads nothing from elsewhere (${colorScheme})`, {
    skip,
  }, async () => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } })
    const foreign: string[] = []
    const problems: string[] = []
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url())
      if (!['data:', 'blob:'].includes(protocol) && host !== new URL(platform.apiUrl).host) foreign.push(request.url())
    })
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`${platform.apiUrl}/docs`)
    await page.getByText('List apps').first().waitFor({ timeout: 60_000 })
    assert.deepEqual(foreign, [])
    assert.deepEqual(problems, [])
    if (process.env.GANTRY_SCREENSHOTS) {
      await page.screenshot({ path: join(process.env.GANTRY_SCREENSHOTS, `api-reference-${colorScheme}.png`) })
    }
    await page.close()
  })
}

test('an error code leads to its page', { skip }, async () => {
  const page = await browser.newPage()
  await page.goto(`${platform.apiUrl}/docs/errors/name_taken`)
  assert.match((await page.textContent('body')) ?? '', /name_taken/)
  await page.close()
})
