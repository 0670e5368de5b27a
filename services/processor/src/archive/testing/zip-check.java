import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/** Prints `name TAB size TAB sha256` of each entry of the ZIP files given, as a stream or by the central directory. */
class ZipCheck {
  static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

  public static void main(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      OUT.println("# " + arguments[i]);
      if (arguments[0].equals("stream")) byStream(arguments[i]);
      else byDirectory(arguments[i]);
    }
    OUT.flush();
  }

  static void byStream(String path) throws Exception {
    try (var zip = new ZipInputStream(new BufferedInputStream(new FileInputStream(path), 1 << 16))) {
      for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) print(entry, zip);
    }
  }

  static void byDirectory(String path) throws Exception {
    try (var zip = new ZipFile(path)) {
      for (var entries = zip.entries(); entries.hasMoreElements(); ) {
        var entry = entries.nextElement();
        try (var stream = zip.getInputStream(entry)) {
          print(entry, stream);
        }
      }
    }
  }

  static void print(ZipEntry entry, InputStream stream) throws Exception {
    var digest = MessageDigest.getInstance("SHA-256");
    var size = new DigestInputStream(stream, digest).transferTo(OutputStream.nullOutputStream());
    OUT.println(entry.getName() + "\t" + size + "\t" + HexFormat.of().formatHex(digest.digest()));
  }
}
