/** Two pixels, red and blue, side by side. */
const pixels = [
  '/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABh',
  'Y3NwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAAB',
  'UAAAABRyVFJDAAABZAAAAChnVFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAA',
  'AAgAAAAcAHMAUgBHAEJYWVogAAAAAAAAb6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9Y',
  'WVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQAAAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAM',
  'ZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAgADIAMAAxADb/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0o',
  'OjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2Nj',
  'Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAABAAIDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/',
  'xAAZEAEAAgMAAAAAAAAAAAAAAAAAAQIDM3H/xAAVAQEBAAAAAAAAAAAAAAAAAAACBv/EABkRAAIDAQAAAAAAAAAAAAAAAAABAgMy',
  'cf/aAAwDAQACEQMRAD8Ah5NluyAoa8LgJ6Z//9k=',
].join('')

const segment = (marker: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(marker, 0)
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

const entry = (tag: number, type: number, count: number, value: number): Buffer => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(tag, 0)
  bytes.writeUInt16BE(type, 2)
  bytes.writeUInt32BE(count, 4)
  if (type === 3) bytes.writeUInt16BE(value, 8)
  else bytes.writeUInt32BE(value, 8)
  return bytes
}

const directory = (entries: Buffer[]): Buffer => {
  const count = Buffer.alloc(2)
  count.writeUInt16BE(entries.length, 0)
  return Buffer.concat([count, ...entries, Buffer.alloc(4)])
}

/** A photo as a phone makes it: lying on its side (orientation 6), with a GPS entry `SECRET-PLACE` in its Exif and again in XMP. */
export const jpegWithPlace = (): Buffer => {
  const place = Buffer.from('ASCII\0\0\0GPS SECRET-PLACE')
  const main = 8
  const gps = main + 2 + 2 * 12 + 4
  const text = gps + 2 + 12 + 4
  const tiff = Buffer.concat([
    Buffer.from('MM\0*'),
    Buffer.from([0, 0, 0, main]),
    directory([entry(0x0112, 3, 1, 6), entry(0x8825, 4, 1, gps)]),
    directory([entry(0x001b, 7, place.length, text)]),
    place,
  ])
  const exif = segment(0xffe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff]))
  const xmp = segment(0xffe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SECRET-PLACE</x:xmpmeta>'))
  const jpeg = Buffer.from(pixels, 'base64')
  return Buffer.concat([jpeg.subarray(0, 2), exif, xmp, jpeg.subarray(2)])
}
