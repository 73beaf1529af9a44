package moe.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Writes vocab.json and merges.txt in which chosen ids are one letter each, so that a test can say
/// a prompt of any ids.
final class TinyTokenizer {
  private static final int BYTES = 256;
  private static final String LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  private TinyTokenizer() {}

  /// What these ids are as text: the first of the chosen ids is A, and so on.
  static String letters(List<Integer> chosen, List<Integer> ids) {
    List<Integer> order = new ArrayList<>(new LinkedHashSet<>(chosen));
    StringBuilder text = new StringBuilder();
    ids.forEach(id -> text.append(LETTERS.charAt(order.indexOf(id))));
    return text.toString();
  }

  /// A tokenizer of `vocab` ids: all bytes, as many merges as are needed, end of text.
  static void write(Path directory, List<Integer> chosen, int vocab) throws IOException {
    Set<Integer> given = new LinkedHashSet<>(chosen);
    List<Integer> free = new ArrayList<>();
    for (int id = 0; id < vocab; id++) {
      if (!given.contains(id)) {
        free.add(id);
      }
    }
    JsonObject ids = new JsonObject();
    given.forEach(id -> ids.addProperty(letters(chosen, List.of(id)), id));
    for (char c : alphabet()) {
      if (!ids.has(String.valueOf(c))) {
        ids.addProperty(String.valueOf(c), free.removeFirst());
      }
    }
    ids.addProperty("<|endoftext|>", free.removeLast());
    StringBuilder merges = new StringBuilder("#version: 0.2\n");
    char zero = alphabet()[0];
    for (int i = 1; !free.isEmpty(); i++) {
      char other = alphabet()[i];
      ids.addProperty("" + zero + other, free.removeFirst());
      merges.append(zero).append(' ').append(other).append('\n');
    }
    Files.writeString(directory.resolve("vocab.json"), ids.toString());
    Files.writeString(directory.resolve("merges.txt"), merges.toString());
  }

  /// GPT-2's characters for the bytes 0 to 255: printable ones of Latin-1 stand for themselves.
  private static char[] alphabet() {
    char[] all = new char[BYTES];
    char substitute = BYTES;
    for (int value = 0; value < BYTES; value++) {
      boolean printable = (value >= '!' && value <= '~') || (value >= 0xA1 && value != 0xAD);
      all[value] = printable ? (char) value : substitute++;
    }
    return all;
  }
}
