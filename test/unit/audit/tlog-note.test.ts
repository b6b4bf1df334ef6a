import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { checkpointText, parseCheckpoint } from '../../../core/tlog/checkpoint.ts'
import { rootOfHashes } from '../../../core/tlog/hash.ts'
import {
  encodeSigningKey,
  generateSigningKey,
  parseSigningKey,
  parseVkey,
  type SigningKey,
  type VerifierKey,
} from '../../../core/tlog/key.ts'
import { cosignedAt, openNote, parseNote, signatureLine, signNote } from '../../../core/tlog/note.ts'
import { seededRandom } from '../../support/random.ts'

// The vectors of Go's golang.org/x/mod/sumdb/note.
const skey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const enoch = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterLine =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const enochLine =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'
// The example of C2SP signed-note and tlog-checkpoint.
const sofa = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`

const verifier = (vkey: string): VerifierKey => {
  const key = parseVkey(vkey)
  if (isRefusal(key)) throw new Error(key.sentence)
  return key
}
const signer = (encoded: string): SigningKey => {
  const key = parseSigningKey(encoded)
  if (isRefusal(key)) throw new Error(key.sentence)
  return key
}
const names = (note: string, keys: VerifierKey[]) => {
  const opened = openNote(note, keys)
  return isRefusal(opened) ? opened.code : opened.signedBy.map(k => k.name)
}
const clock = { now: () => Date.parse('2026-03-01T12:00:00.900Z') }
const random = seededRandom('notes')

describe('signed notes (C2SP signed-note, as Go writes them)', () => {
  it('signs as Go does, and reads and writes its keys', () => {
    expect(signNote(text, signer(skey))).to.equal(`${text}\n${peterLine}`)
    expect(signer(skey).verifier.vkey).to.equal(peter)
    expect(encodeSigningKey(signer(skey))).to.equal(skey)
  })

  it('verifies notes of several signers, and counts no unknown key', () => {
    const both = `${text}\n${peterLine}${enochLine}`
    expect(names(both, [verifier(peter)])).to.deep.equal(['PeterNeumann'])
    expect(names(both, [verifier(enoch), verifier(peter)])).to.deep.equal(['EnochRoot', 'PeterNeumann'])
    expect(names(`${both}${peterLine}`, [verifier(peter)])).to.deep.equal(['PeterNeumann'])
    expect(names(both, [])).to.deep.equal([])
  })

  it('refuses a note with a wrong signature of a known key, whatever else signed it', () => {
    const wrong = peterLine.replace('x08go/ZJ', 'x08go/ZK')
    expect(names(`${text}\n${wrong}${enochLine}`, [verifier(peter), verifier(enoch)])).to.equal('wrong-signature')
    expect(names(`${text}\n${wrong}${enochLine}`, [verifier(enoch)])).to.deep.equal(['EnochRoot'])
    expect(names(`${text.replace('answer', 'Answer')}\n${peterLine}`, [verifier(peter)])).to.equal('wrong-signature')
  })

  it('refuses what is no note', () => {
    for (const bad of [
      '',
      text,
      `${text}\n`,
      `${text}${peterLine}`,
      `${text}\n${peterLine.trimEnd()}`,
      `${text}\n${peterLine}x\n`,
      `${text}\r\n${peterLine}`,
      `${text}\n${peterLine.replace('— ', '- ')}`,
      `${text}\n— PeterNeumann AAAA\n`,
      `${text}\n${peterLine.replace('M=\n', 'N=\n')}`,
      `${text}\n${peterLine.repeat(700)}`,
    ])
      expect(parseNote(bad), JSON.stringify(bad.slice(-60))).to.include({ code: 'not-a-note' })
  })

  it('takes no part of a key and no changed character for a key', () => {
    for (const [whole, parse] of [
      [peter, parseVkey],
      [skey, parseSigningKey],
    ] as const)
      for (let i = 0; i < whole.length; i++) {
        const next = String.fromCharCode(whole.charCodeAt(i) + 1)
        expect(isRefusal(parse(whole.slice(0, i))), whole.slice(0, i)).to.equal(true)
        if (i > 0) expect(isRefusal(parse(whole.slice(i)))).to.equal(true)
        expect(isRefusal(parse(whole.slice(0, i) + next + whole.slice(i + 1)))).to.equal(true)
      }
    expect(isRefusal(parseVkey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'))).to.equal(true)
  })

  it('never repeats a private key in a refusal or in what it prints of a verifier', () => {
    const refused = parseSigningKey(skey.replace('c74f20a3', 'c74f20a4'))
    expect(JSON.stringify(refused)).to.include('wrong-key-id').and.not.include('AYEKFALV')
    expect(JSON.stringify(signer(skey))).not.to.include('AYEKFALV')
  })

  it('cosigns with the time, and a cosignature holds for its text, time and name only (C2SP tlog-cosignature)', () => {
    const witness = generateSigningKey('witness.example/w1', 'cosignature', random)
    const [log, other] = ['log.example', 'log.other'].map(n => generateSigningKey(n, 'note', random)) as [
      SigningKey,
      SigningKey,
    ]
    const line = signatureLine(text, witness, clock)
    const note = signNote(text, log) + line
    expect(names(note, [log.verifier, witness.verifier])).to.deep.equal(['log.example', 'witness.example/w1'])
    expect(names(note, [other.verifier])).to.deep.equal([])
    const parsed = parseNote(note)
    if (isRefusal(parsed)) throw new Error(parsed.sentence)
    expect(cosignedAt(parsed, witness.verifier)).to.equal(Date.parse('2026-03-01T12:00:00Z'))
    expect(cosignedAt(parsed, log.verifier)).to.equal(undefined)
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    bytes[11]! ^= 1
    const later = `— witness.example/w1 ${bytes.toString('base64')}\n`
    expect(names(signNote(text, log) + later, [witness.verifier])).to.equal('wrong-signature')
    expect(witness.verifier.id).not.to.equal(generateSigningKey('witness.example/w1', 'note', random).verifier.id)
    expect(() => signNote(text, witness)).to.throw('cosigner')
  })

  it('reads the checkpoint of the specification, and writes it again to the byte', () => {
    const parsed = parseNote(sofa)
    if (isRefusal(parsed)) throw new Error(parsed.sentence)
    expect(parsed.signatures.map(s => [s.name, s.id])).to.deep.equal([
      ['example.com/behind-the-sofa', '033de0ae'],
      ['witness.example.com/w1', '8d66cf3f'],
    ])
    const checkpoint = parseCheckpoint(parsed.text)
    if (isRefusal(checkpoint)) throw new Error(checkpoint.sentence)
    expect(checkpoint).to.include({ origin: 'example.com/behind-the-sofa', size: 20852163 })
    expect(checkpointText(checkpoint)).to.equal(parsed.text)
  })

  it('reads no other spelling of a checkpoint', () => {
    const root = rootOfHashes(new Uint8Array(0))
    const good = checkpointText({ origin: 'ward.example', size: 7, root, extensions: ['at 2026'] })
    expect(parseCheckpoint(good)).to.deep.equal({ origin: 'ward.example', size: 7, root, extensions: ['at 2026'] })
    for (const bad of [
      good.replace('7', '07'),
      good.replace('7', '-7'),
      good.replace('7', '7.0'),
      good.replace('7', '9999999999999999'),
      good.replace('ward.example', ''),
      good.replace('at 2026', ''),
      good.replace('=', ''),
      good.trimEnd(),
      'ward.example\n7\n',
    ])
      expect(parseCheckpoint(bad), JSON.stringify(bad)).to.include({ code: 'not-a-checkpoint' })
    expect(() => checkpointText({ origin: 'a\nb', size: 1, root })).to.throw('broken lines')
  })
})
