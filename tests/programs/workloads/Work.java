import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Work {
  record Item(int id, String name) {}
  public static void main(String[] arguments) throws Exception {
    Random random = new Random(3);
    List<Item> items = IntStream.range(0, 100000).mapToObj(i -> new Item(i, "n" + random.nextInt(700))).toList();
    System.out.println(new TreeMap<>(items.stream().collect(Collectors.groupingBy(Item::name, Collectors.counting()))).firstEntry());
    ExecutorService pool = Executors.newFixedThreadPool(4);
    List<Future<Long>> results = new ArrayList<>();
    for (int t = 0; t < 40; ++t) {
      int seed = t;
      results.add(pool.submit(() -> new Random(seed).longs(20000).mapToObj(Long::toHexString).sorted().mapToLong(String::hashCode).sum()));
    }
    long sum = 0;
    for (Future<Long> result : results) sum += result.get();
    pool.shutdown();
    System.out.println(sum);
    java.util.zip.Deflater deflater = new java.util.zip.Deflater();
    deflater.setInput(items.toString().getBytes());
    deflater.finish();
    System.out.println(deflater.deflate(new byte[10000000]));
    System.gc();
    System.out.println(Stream.iterate(java.math.BigInteger.ONE, b -> b.shiftLeft(3).add(b)).limit(500).reduce((a, b) -> b).get().bitLength());
  }
}
