import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { isInside, readFeedAddress } from '../../../core/oncall/import/feed-address.ts'

const read = (text: string, own: string[] = []) => {
  const found = readFeedAddress(text, own)
  return isRefusal(found) ? found.code : found.href
}

describe('the address of a schedule elsewhere', () => {
  it('is https on the internet, without a password', () => {
    expect(read('https://calendar.example/a.ics?key=1#x')).to.equal('https://calendar.example/a.ics?key=1')
    expect(read('webcal://calendar.example/a.ics')).to.equal('https://calendar.example/a.ics')
    expect(read('http://calendar.example/a.ics')).to.equal('not-https')
    expect(read('file:///etc/passwd')).to.equal('not-https')
    expect(read('https://ann:secret@calendar.example/a.ics')).to.equal('address-with-password')
    expect(read('calendar')).to.equal('bad-address')
    expect(read(`https://calendar.example/${'a'.repeat(2000)}`)).to.equal('bad-address')
  })

  it('in our own network needs its host in the settings, which then may be without TLS', () => {
    for (const host of [
      '127.0.0.1',
      '10.1.2.3',
      '[::1]',
      '[fd00::1]',
      '[::ffff:10.0.0.1]',
      '169.254.169.254',
      'localhost',
      'x.internal',
      '2130706433',
      '0x7f.1',
    ])
      expect(read(`https://${host}/a.ics`), host).to.equal('inside-address')
    expect(read('http://10.1.2.3:8080/a.ics', ['10.1.2.3:8080'])).to.equal('http://10.1.2.3:8080/a.ics')
    expect(read('http://10.1.2.3:9090/a.ics', ['10.1.2.3:8080'])).to.equal('not-https')
    expect(read('http://Schedules.Clinic.example/a.ics', ['schedules.clinic.example'])).to.match(/^http:/)
  })

  it('is known to be inside by its number, however it is written', () => {
    for (const inside of [
      '192.168.1.1',
      '172.31.0.1',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      'fe80::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '2002:7f00:1::1',
      '64:ff9b:1::7f00:1',
      'fec0::1',
      'no address',
    ])
      expect(isInside(inside), inside).to.equal(true)
    for (const outside of ['8.8.8.8', '172.32.0.1', '2606:4700::1111'])
      expect(isInside(outside), outside).to.equal(false)
  })
})
