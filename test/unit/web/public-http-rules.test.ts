import { expect } from 'chai'
import type { Request } from 'express'
import { isOurHost } from '../../../appservice/http/clinic.ts'
import { cookiesFor, readCookie } from '../../../core/http/cookies.ts'
import { hashPin, verifyPin } from '../../../core/pin.ts'
import { systemRandom } from '../../../core/system.ts'

describe('public HTTP rules', () => {
  it('answer "check this text" by the host alone, whatever is dressed around it', () => {
    const ours = (text: string) => isOurHost(text, 'https://chat.clinic.example')
    for (const yes of ['chat.clinic.example', 'https://chat.clinic.example/l/abc', ' HTTPS://Chat.Clinic.Example '])
      expect(ours(yes), yes).to.equal(true)
    for (const no of [
      'http://chat.clinic.example',
      'chat.clinic.example.evil.example',
      'https://chat.clinic.example@evil.example/',
      'https://user@chat.clinic.example/',
      'evil.example/chat.clinic.example',
      'chat.clinic.example:8443',
      'chаt.clinic.example',
      '',
      'not a host at all',
    ])
      expect(ours(no), no).to.equal(false)
  })

  it('keep the session cookie to this host and to https, except in a try-out on plain http', () => {
    expect(cookiesFor('https://chat.clinic.example', false)).to.include({ session: '__Host-wardroom', secure: true })
    expect(cookiesFor('http://localhost:8080', true)).to.include({ session: '__Host-wardroom', secure: true })
    expect(cookiesFor('http://192.168.1.5:8080', true)).to.include({ session: 'wardroom', secure: false })
    expect(() => cookiesFor('http://chat.clinic.example', false)).to.throw(/https/)
  })

  it('read no cookie that we cannot have set', () => {
    const req = (cookie: string) => ({ headers: { cookie } }) as Request
    expect(readCookie(req('a=1; __Host-wardroom=abcdefghijklmnop; b=2'), '__Host-wardroom')).to.equal(
      'abcdefghijklmnop',
    )
    expect(readCookie(req('__Host-wardroom=x'), '__Host-wardroom')).to.equal(undefined)
    expect(readCookie(req(`__Host-wardroom=${'a'.repeat(99)}`), '__Host-wardroom')).to.equal(undefined)
    expect(readCookie(req(''), '__Host-wardroom')).to.equal(undefined)
  })

  it('know a PIN by its hash only', async () => {
    const hash = await hashPin('4711', systemRandom)
    expect(hash).to.not.include('4711')
    expect(await verifyPin('4711', hash)).to.equal(true)
    expect(await verifyPin('4712', hash)).to.equal(false)
    expect(await verifyPin('4711', 'nonsense')).to.equal(false)
  })
})
