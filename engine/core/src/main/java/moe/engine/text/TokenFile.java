package moe.engine.text;

import java.io.Serial;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;

/// The bytes of a token cache. All numbers are little-endian.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 8 | `MOETOK01`; the digits are the version |
/// | 8 | 32 | key: SHA-256 of the source's checksum, a line feed and the tokenizer's fingerprint |
/// | 40 | 4 | width of an id: 2 if the vocabulary has at most 65,536 ids, else 4 bytes |
/// | 44 | 4 | documents, at least 1 |
/// | 48 | 4 | tokens, at least 1 |
/// | 52 | 4 × documents | where each document ends, in tokens, rising; the last is `tokens` |
/// | then | width × tokens | the ids, unsigned |
/// | at the end | 32 | SHA-256 of all before |
final class TokenFile {
  private static final byte[] MAGIC = "MOETOK01".getBytes(StandardCharsets.US_ASCII);
  private static final int HASH = 32;
  private static final int HEADER = MAGIC.length + HASH + 3 * Integer.BYTES;

  private TokenFile() {}

  /// Why a file cannot be taken.
  static final class Unusable extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    private Unusable(String reason) {
      super(reason);
    }
  }

  private static int width(int vocab) {
    return vocab <= 1 << 16 ? Short.BYTES : Integer.BYTES;
  }

  private static long size(int width, long documents, long tokens) {
    return HEADER + Integer.BYTES * documents + width * tokens + HASH;
  }

  /// Whether a text can be written: a file is made in memory, which has a limit.
  static boolean holds(TokenText text, int vocab) {
    return size(width(vocab), text.ends().length, text.ids().length) <= TokenText.MOST_TOKENS;
  }

  static ByteBuffer format(TokenText text, byte[] key, int vocab) {
    int width = width(vocab);
    int size = Math.toIntExact(size(width, text.ends().length, text.ids().length));
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(MAGIC).put(key).putInt(width).putInt(text.ends().length).putInt(text.ids().length);
    for (int end : text.ends()) {
      bytes.putInt(end);
    }
    for (int id : text.ids()) {
      if (width == Short.BYTES) {
        bytes.putShort((short) id);
      } else {
        bytes.putInt(id);
      }
    }
    return bytes.put(hash(bytes.array())).flip();
  }

  private static byte[] hash(byte[] file) {
    MessageDigest digest = TextSource.sha256();
    digest.update(file, 0, file.length - HASH);
    return digest.digest();
  }

  /// @param key what the file must be about
  /// @param vocab ids must be below this
  /// @throws Unusable for a file of something else, or a damaged one
  static TokenText parse(byte[] file, byte[] key, int vocab) throws Unusable {
    if (file.length < HEADER + HASH || !Arrays.equals(MAGIC, Arrays.copyOf(file, MAGIC.length))) {
      throw new Unusable("not a token cache of this version");
    }
    byte[] stored = Arrays.copyOfRange(file, file.length - HASH, file.length);
    if (!MessageDigest.isEqual(stored, hash(file))) {
      throw new Unusable("damaged, its checksum is wrong");
    }
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).position(MAGIC.length);
    byte[] about = new byte[HASH];
    bytes.get(about);
    if (!Arrays.equals(about, key)) {
      throw new Unusable("of another text or tokenizer, or the text has changed");
    }
    int width = bytes.getInt();
    int documents = bytes.getInt();
    int tokens = bytes.getInt();
    if (width != width(vocab)
        || documents < 1
        || tokens < 1
        || size(width, documents, tokens) != file.length) {
      throw new Unusable("damaged, its extents contradict each other");
    }
    return new TokenText(
        ids(bytes, documents, tokens, width, vocab), ends(bytes, documents, tokens));
  }

  private static int[] ends(ByteBuffer bytes, int documents, int tokens) throws Unusable {
    int[] ends = new int[documents];
    bytes.position(HEADER).asIntBuffer().get(ends);
    for (int i = 0; i < documents; i++) {
      if (ends[i] <= (i == 0 ? 0 : ends[i - 1])) {
        throw new Unusable("damaged, its documents do not follow each other");
      }
    }
    if (ends[documents - 1] != tokens) {
      throw new Unusable("damaged, its documents do not end with the text");
    }
    return ends;
  }

  private static int[] ids(ByteBuffer bytes, int documents, int tokens, int width, int vocab)
      throws Unusable {
    int[] ids = new int[tokens];
    bytes.position(HEADER + Integer.BYTES * documents);
    for (int i = 0; i < tokens; i++) {
      ids[i] = width == Short.BYTES ? Short.toUnsignedInt(bytes.getShort()) : bytes.getInt();
      if (ids[i] < 0 || ids[i] >= vocab) {
        throw new Unusable("damaged, token %,d has no id".formatted(i));
      }
    }
    return ids;
  }
}
