import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { ensureBrowser, findBrowser, packageFolder } from '../../cli/setup/browser.ts'

/** Which browser the tests use, on machines that have some, none, or one that does not start. */
describe('the browser for the tests', () => {
  let folder: string
  let env: NodeJS.ProcessEnv
  const program = (path: string, code: number): string => {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `#!/bin/sh\nexit ${code}\n`)
    chmodSync(file, 0o700)
    return file
  }
  /** As setup leaves it when it has installed one. */
  const installed = (code: number): string => {
    const executablePath = program('installed', code)
    mkdirSync(packageFolder(env), { recursive: true })
    writeFileSync(join(packageFolder(env), 'browser.json'), JSON.stringify({ executablePath, env: { ITS: 'own' } }))
    return executablePath
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wardroom-browser-'))
    env = { PATH: join(folder, 'bin'), WARDROOM_CACHE: join(folder, 'cache') }
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is the one that setup installed where the machine has none, with what it needs around it', async () => {
    expect(await findBrowser(env)).to.equal(undefined)
    const executablePath = installed(0)
    expect(await findBrowser(env)).to.deep.equal({ executablePath, env: { ITS: 'own' } })
    expect(await ensureBrowser({ log: () => expect.fail('nothing is to be installed'), env })).to.include({
      executablePath,
    })
  })

  it('is the machine’s own where that starts, and the installed one where it does not', async () => {
    const own = program('bin/chromium', 0)
    const executablePath = installed(0)
    expect(await findBrowser(env)).to.deep.equal({ executablePath: own, env: {} })
    program('bin/chromium', 1)
    expect(await findBrowser(env)).to.include({ executablePath })
  })

  it('is the one that was named, and no other', async () => {
    program('bin/chromium', 0)
    installed(0)
    const named = program('named', 0)
    expect(await findBrowser({ ...env, WARDROOM_CHROMIUM: named })).to.include({ executablePath: named })
    const wrong = { ...env, WARDROOM_CHROMIUM: join(folder, 'nowhere') }
    expect(await findBrowser(wrong)).to.equal(undefined)
    const refused = await ensureBrowser({ log: () => undefined, env: wrong }).catch((e: Error) => e.message)
    expect(refused).to.equal(`WARDROOM_CHROMIUM is "${wrong.WARDROOM_CHROMIUM}", and that does not start as a browser.`)
  })
})
