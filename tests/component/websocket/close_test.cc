// How connections end: close codes both ways, peers that do not play along, deadlines and aborts.
#include "tests/component/websocket/websocket_fixture.h"

namespace voicebridge::test {
namespace {

class Closing : public WebSocketTest {
 protected:
  void SetUp() override { StartServer(); }

  Awaitable<void> ClientCloses(std::uint16_t code, std::string reason, std::uint16_t seen) {
    const auto connection = co_await Connect("/echo");
    co_await connection->Close(code, reason, In(seconds(20)));
    const std::string seen_reason = seen == 1005 ? "" : reason;
    co_await ExpectServerSaw(seen, seen_reason);
    const Incoming end = co_await connection->ReadUntilStopped();
    EXPECT_EQ(end.kind, Incoming::Kind::kClosed);
  }

  Awaitable<void> ClientClosesWithLongReason(std::string reason, std::string seen) {
    const auto connection = co_await Connect("/echo");
    co_await connection->Close(1000, reason, In(seconds(20)));
    co_await ExpectServerSaw(1000, seen);
  }

  Awaitable<void> ServerCloses(std::uint16_t code, std::string reason) {
    const auto client = co_await Connect("/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> client_end;
    std::optional<Incoming> server_end;
    Spawn(ReadToEnd(*client, client_end));
    Spawn(ReadToEnd(*handed, server_end));
    co_await handed->Close(code, reason, In(seconds(20)));
    co_await WaitFor(client_end);
    co_await WaitFor(server_end);
    EXPECT_EQ(client_end->close_code, code);
    EXPECT_EQ(client_end->close_reason, reason);
    EXPECT_EQ(server_end->close_code, code);
  }

  Awaitable<void> PeerCloses(std::string frame, std::uint16_t code, std::string reason) {
    RawPeer peer = co_await UpgradeRaw(address, "/echo");
    co_await peer.Send(std::move(frame));
    co_await ExpectServerSaw(code, reason);
  }

  Awaitable<void> PeerVanishes() {
    RawPeer peer = co_await UpgradeRaw(address, "/echo");
    co_await peer.Send(Frame(kText, "half a message").substr(0, 6));
    peer.socket.close();
    co_await ExpectServerSaw(1006, "");
  }

  // The peer neither answers the close nor ends the connection; a read is pending or not.
  Awaitable<void> PeerIsMute(bool reading) {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    if (reading) {
      Spawn(ReadToEnd(*handed, end));
    }
    const Deadline deadline = In(milliseconds(200));
    co_await handed->Close(1001, "going away", deadline);
    EXPECT_TRUE(deadline.HasPassed(SystemClock().Now()));
    const std::string frame = CloseFrame(1001, "going away", kFromServer);
    EXPECT_EQ(co_await peer.ReceiveToEnd(), frame);
    if (reading) {
      co_await WaitFor(end);
    }
    co_await handed->Close(1000, "", In(seconds(20)));  // Does nothing.
  }

  // The peer answers the close, but keeps its side of the TCP connection open.
  Awaitable<void> PeerKeepsTcpOpen() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    co_await peer.Send(CloseFrame(4000, "bye"));
    const Incoming end = co_await handed->ReadUntilStopped();
    EXPECT_EQ(end.close_code, 4000);
    EXPECT_EQ(end.close_reason, "bye");
    EXPECT_EQ(co_await peer.ReceiveToEnd(), CloseFrame(4000, "", kFromServer));
  }

  // Leaves the server's task in the middle of it: the end of the test cancels it.
  Awaitable<void> StopWhilePeerKeepsTcpOpen() {
    RawPeer peer = co_await UpgradeRaw(address, "/echo");
    co_await peer.Send(CloseFrame(4000, "bye"));
    EXPECT_EQ(co_await peer.ReceiveToEnd(), CloseFrame(4000, "", kFromServer));
    kept_open_ = std::make_unique<RawPeer>(std::move(peer));
  }

  Awaitable<void> StopWhilePeerIsMute() {
    kept_open_ = std::make_unique<RawPeer>(co_await UpgradeRaw(address, "/hand"));
    handed_ = co_await service.Handed();
    Spawn(ReadToEnd(*handed_, handed_end_));
    Spawn(CloseIt(*handed_));
    const std::string frame = CloseFrame(1001, "", kFromServer);
    EXPECT_EQ(co_await kept_open_->Receive(frame.size()), frame);
  }

  Awaitable<void> StopWhileWriting() {
    kept_open_ = std::make_unique<RawPeer>(co_await UpgradeRaw(address, "/hand"));
    handed_ = co_await service.Handed();
    Spawn(ReadToEnd(*handed_, handed_end_));
    Spawn(WriteForever(*handed_));
    co_await UntilWritesStall();
  }

  // Close overtakes a pending read in the middle of a large message, then of pings, then data.
  Awaitable<void> PeerTalksOn() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*handed, end));
    const std::string large = Frame(kBinary, std::string(100000, 'x'));
    co_await peer.Send(large.substr(0, 50000));
    Spawn(CloseIt(*handed));
    const std::string frame = CloseFrame(1001, "", kFromServer);
    EXPECT_EQ(co_await peer.Receive(frame.size()), frame);
    co_await peer.Send(large.substr(50000) + Frame(kPing, "?") + Frame(kText, "more") +
                       CloseFrame(1001, ""));
    EXPECT_EQ(co_await peer.ReceiveToEnd(), "");
    peer.socket.close();
    co_await WaitFor(end);
    EXPECT_EQ(end->close_code, 1001);
    const auto is_closed = [this] { return closed_; };
    co_await Poll(is_closed);
  }

  // The peer reads nothing: its window fills up, the write waits, and its deadline cuts the
  // connection.
  Awaitable<void> PeerDoesNotRead() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*handed, end));
    co_await Fill(*handed);
    co_await WaitFor(end);
    EXPECT_EQ(end->close_code, 1006);
    const absl::Status later = co_await handed->WriteText("x", In(seconds(20)));
    EXPECT_EQ(later.code(), absl::StatusCode::kUnavailable);
  }

  Awaitable<void> AbortWhileWriting() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*handed, end));
    Spawn(WriteForever(*handed));
    const std::size_t before = co_await UntilWritesStall();
    EXPECT_GT(before, 0U);
    handed->Abort();
    const auto has_failed = [this] { return write_failed_; };
    co_await Poll(has_failed);
    co_await WaitFor(end);
    const Deadline deadline = In(seconds(5));
    co_await handed->Close(1001, "", deadline);
    EXPECT_FALSE(deadline.HasPassed(SystemClock().Now()));
  }

  Awaitable<void> CloseTowardsAFullWindow() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*handed, end));
    Spawn(WriteForever(*handed));
    co_await UntilWritesStall();
    co_await handed->Close(1001, "", In(milliseconds(200)));
    co_await WaitFor(end);
    const auto has_failed = [this] { return write_failed_; };
    co_await Poll(has_failed);
  }

  Awaitable<void> AbortEndsAPendingRead() {
    const auto client = co_await Connect("/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*client, end));
    client->Abort();
    client->Abort();
    co_await WaitFor(end);
    EXPECT_EQ(end->close_code, 1006);
    const Incoming other = co_await handed->ReadUntilStopped();
    EXPECT_EQ(other.close_code, 1006);
    const Incoming again = co_await handed->ReadUntilStopped();
    EXPECT_EQ(again.kind, Incoming::Kind::kClosed);
  }

  Awaitable<void> CloseEndsAnAbortedConnectionAtOnce() {
    const auto client = co_await Connect("/hand");
    const auto handed = co_await service.Handed();
    client->Abort();
    co_await client->Close(1000, "", In(seconds(20)));
    const Incoming end = co_await client->ReadUntilStopped();
    EXPECT_EQ(end.close_code, 1006);
  }

  Awaitable<void> AbortDuringClose() {
    RawPeer peer = co_await UpgradeRaw(address, "/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> end;
    Spawn(ReadToEnd(*handed, end));
    Spawn(CloseIt(*handed));
    const std::string frame = CloseFrame(1001, "", kFromServer);
    EXPECT_EQ(co_await peer.Receive(frame.size()), frame);
    handed->Abort();
    co_await WaitFor(end);
    const auto is_closed = [this] { return closed_; };
    co_await Poll(is_closed);
  }

  Awaitable<void> BothCloseAtOnce() {
    const auto client = co_await Connect("/hand");
    const auto handed = co_await service.Handed();
    std::optional<Incoming> client_end;
    std::optional<Incoming> server_end;
    Spawn(ReadToEnd(*client, client_end));
    Spawn(ReadToEnd(*handed, server_end));
    Spawn(CloseIt(*handed));
    co_await client->Close(4001, "mine", In(seconds(20)));
    co_await WaitFor(client_end);
    co_await WaitFor(server_end);
    const auto is_closed = [this] { return closed_; };
    co_await Poll(is_closed);
    EXPECT_NE(client_end->close_code, 1006);
    EXPECT_NE(server_end->close_code, 1006);
  }

  Awaitable<void> ExpectServerSaw(std::uint16_t code, std::string reason) {
    const auto has_ended = [this] { return !service.ended.empty(); };
    co_await Poll(has_ended);
    if (service.ended.empty()) {
      co_return;  // The test's time is over.
    }
    EXPECT_EQ(service.ended.front().close_code, code);
    EXPECT_EQ(service.ended.front().close_reason, reason);
  }

  Awaitable<void> WaitFor(const std::optional<Incoming>& end) {
    const auto has_end = [&] { return end.has_value(); };
    co_await Poll(has_end);
  }

  Awaitable<void> CloseIt(Connection& connection) {
    co_await connection.Close(1001, "", In(seconds(20)));
    closed_ = true;
  }

  // Writes until the deadline of one write comes.
  Awaitable<void> Fill(Connection& connection) {
    const std::string megabyte(1U << 20U, 'x');
    absl::Status status;
    for (int i = 0; i < 1000 && status.ok(); ++i) {
      status = co_await connection.WriteBinary(megabyte, In(milliseconds(300)));
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  }

  Awaitable<void> WriteForever(Connection& connection) {
    const std::string megabyte(1U << 20U, 'x');
    absl::Status status;
    while (status.ok()) {
      status = co_await connection.WriteBinary(megabyte, In(seconds(20)));
      ++writes_;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    write_failed_ = true;
  }

  Awaitable<std::size_t> UntilWritesStall() {
    std::size_t before = 0;
    bool goes_on = true;
    do {
      before = writes_;
      goes_on = co_await SystemClock().SleepUntil(In(milliseconds(300)));
    } while (writes_ != before && goes_on);
    co_return before;
  }

  std::size_t writes_ = 0;
  bool write_failed_ = false;
  bool closed_ = false;
  std::unique_ptr<RawPeer> kept_open_;
  std::unique_ptr<Connection> handed_;
  std::optional<Incoming> handed_end_;
};

TEST_F(Closing, CarriesTheClientsCodeAndReason) { Run(ClientCloses(4001, "enough", 4001)); }

TEST_F(Closing, WithoutACodeIsSeenAs1005) { Run(ClientCloses(1005, "", 1005)); }

TEST_F(Closing, WithACodeThatMayNotBeSentSendsNone) { Run(ClientCloses(1006, "x", 1005)); }

TEST_F(Closing, CarriesTheServersCodeAndReason) { Run(ServerCloses(1012, "moving")); }

TEST_F(Closing, CutsALongReasonBetweenCharacters) {
  const std::string fits(122, 'r');
  Run(ClientClosesWithLongReason(fits + "\u00fc", fits));  // Only half of the last would fit.
}

TEST_F(Closing, ByThePeerWithoutACodeIs1005) { Run(PeerCloses(Frame(kClose, ""), 1005, "")); }

TEST_F(Closing, ByThePeerBringsItsCode) { Run(PeerCloses(CloseFrame(3999, "why"), 3999, "why")); }

TEST_F(Closing, WithoutACloseFrameIs1006) { Run(PeerVanishes()); }

TEST_F(Closing, IsBoundedWhenThePeerIsMute) { Run(PeerIsMute(false)); }

TEST_F(Closing, IsBoundedWhenThePeerIsMuteAndAReadIsPending) { Run(PeerIsMute(true)); }

TEST_F(Closing, IsBoundedWhenThePeerKeepsItsSideOpen) { Run(PeerKeepsTcpOpen()); }

// In these three the end of the test cancels the tasks, and checks that they end.
TEST_F(Closing, IsCutShortByCancellationAfterThePeersClose) { Run(StopWhilePeerKeepsTcpOpen()); }

TEST_F(Closing, IsCutShortByCancellation) { Run(StopWhilePeerIsMute()); }

TEST_F(Closing, ACancelledWriteEnds) { Run(StopWhileWriting()); }

TEST_F(Closing, DiscardsWhatThePeerStillSends) { Run(PeerTalksOn()); }

TEST_F(Closing, IsBoundedWhenThePeersWindowIsFull) { Run(CloseTowardsAFullWindow()); }

TEST_F(Closing, FromBothSidesAtOnceIsOrderly) { Run(BothCloseAtOnce()); }

TEST_F(Closing, AfterAnAbortReturnsAtOnce) { Run(CloseEndsAnAbortedConnectionAtOnce()); }

TEST_F(Closing, IsEndedByAnAbort) { Run(AbortDuringClose()); }

TEST_F(Closing, AbortEndsAPendingRead) { Run(AbortEndsAPendingRead()); }

TEST_F(Closing, AbortEndsAPendingReadAndAPendingWrite) { Run(AbortWhileWriting()); }

TEST_F(Closing, AWriteToAPeerThatDoesNotReadEndsAtItsDeadline) { Run(PeerDoesNotRead()); }

}  // namespace
}  // namespace voicebridge::test
