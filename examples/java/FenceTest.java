import java.io.BufferedReader;
import java.io.InputStreamReader;

/** As a JUnit test it is the same method with @Test; without a library `main` runs it. */
final class FenceTest {
    static void aHostThatIsClaimedOffIsOff() throws Exception {
        Process emulator = start("bmc-emulator", "run", "--profile", "dell-idrac9", "--plain-http", "--json", "--name", "java-test");
        try {
            String bmc = firstLine(emulator); // it prints this line when the BMC answers
            new Fence(Fence.field(bmc, "redfish_url"), Fence.field(bmc, "system_uri"),
                      Fence.field(bmc, "username"), Fence.field(bmc, "password")).off();

            String truth = firstLine(start("bmc-emulator", "show", Fence.field(bmc, "name"), "--instance", "java-test", "--json"));
            if (!Fence.field(truth, "rail").equals("down")) throw new AssertionError("claimed off, and the truth is " + truth);
        } finally {
            emulator.destroy();
            emulator.waitFor();
        }
    }

    private static Process start(String... command) throws Exception {
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String firstLine(Process process) throws Exception {
        String line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
        if (line == null) throw new AssertionError("no output, exit code " + process.waitFor());
        return line;
    }

    public static void main(String[] arguments) throws Exception {
        aHostThatIsClaimedOffIsOff();
        System.out.println("1 passed, 0 failed");
    }
}
