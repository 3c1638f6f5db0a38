import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.imds.Ec2MetadataClient;

/** imds emulate --preset spot -- mvn -f examples/java test */
class SpotTest {
    @Test
    void drainsBeforeTheInterruption() {
        List<String> done = new ArrayList<>();
        Runnable work = () -> {
            done.add("work");
            if (done.size() == 3) interrupt();
        };
        try (var client = Ec2MetadataClient.create()) {
            Spot.run(client, work, done::add);
        }
        assertEquals(List.of("work", "work", "work", "stop"), done);
    }

    static void interrupt() {
        try {
            new ProcessBuilder("imds", "emulator", "ctl", "event", "interrupt", "action=stop").start().onExit().join();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
